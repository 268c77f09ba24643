package dev.fettle.langchain4j;

import dev.fettle.Sampler;
import dev.fettle.SamplingParams;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.request.ResponseFormatType;
import dev.langchain4j.model.chat.request.ToolChoice;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * What a chat model was built with.
 *
 * @param seed null for another one at each request
 */
record ChatSettings(Sampler sampler, String modelName, ChatRequestParameters defaults, @Nullable Long seed,
    boolean returnThinking, boolean sendThinking, List<ChatModelListener> listeners) {
  static final int MAX_OUTPUT_TOKENS = 1024;

  /** Nothing that is asked for is left undone in silence. */
  void requireSupported(ChatRequestParameters asked) {
    if (asked.modelName() != null && !asked.modelName().equals(modelName)) {
      throw unsupported("modelName \"" + asked.modelName() + "\"", "this model is \"" + modelName + "\"");
    } else if (asked.frequencyPenalty() != null && asked.frequencyPenalty() != 0) {
      throw unsupported("frequencyPenalty", "sample with temperature, topP or topK");
    } else if (asked.presencePenalty() != null && asked.presencePenalty() != 0) {
      throw unsupported("presencePenalty", "sample with temperature, topP or topK");
    } else if (asked.toolChoice() == ToolChoice.REQUIRED) {
      throw unsupported("ToolChoice.REQUIRED", "the model decides whether it calls a tool: use AUTO or NONE");
    } else if (asked.responseFormat() != null && asked.responseFormat().type() == ResponseFormatType.JSON) {
      throw unsupported("JSON response format", "ask for JSON in the message, or train on answers in JSON");
    }
  }

  static UnsupportedFeatureException unsupported(String what, String instead) {
    return new UnsupportedFeatureException(what + " is not supported: " + instead);
  }

  /** How to sample what a request asks for. */
  SamplingParams sampling(ChatRequestParameters asked) {
    SamplingParams params = SamplingParams.greedy().seed(seed == null ? ThreadLocalRandom.current().nextLong() : seed);
    params = asked.temperature() == null ? params : params.temperature(asked.temperature());
    params = asked.topP() == null ? params : params.topP(asked.topP());
    params = asked.topK() == null ? params : params.topK(asked.topK());
    params = asked.maxOutputTokens() == null ? params : params.maxTokens(asked.maxOutputTokens());
    return asked.stopSequences() == null ? params : params.stop(asked.stopSequences().toArray(String[]::new));
  }
}
