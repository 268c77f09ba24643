package dev.fettle.internal.openai;

import dev.fettle.SamplingParams;
import dev.fettle.Tokenizer;
import dev.fettle.internal.ModelBackend;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.text.PromptTokens;
import java.util.ArrayList;
import java.util.List;

/**
 * Texts that are to be continued.
 *
 * @param top how many of the likeliest tokens are told of each place; -1 where no logprobs are
 * @param echo whether the prompts stand before what continues them
 */
record CompletionRequest(Served model, List<int[]> prompts, List<SamplingParams> params, int top, boolean echo, boolean stream,
    boolean usage) {
  private static final int STANDARD = 16;

  static CompletionRequest of(Fields f, ServedModels models, Bounds bounds) {
    Served model = models.of(f);
    Tokenizer tokenizer = model.sampler().tokenizer();
    SamplingParams params = SamplingFields.params(f, bounds.choices());
    f.refuse("best_of", v -> v.isNumber() && v.doubleValue() == params.samples(), "leave it out; n is supported");
    f.refuse("suffix", v -> v.asString("x").isEmpty(), "leave it out");
    int limit = f.count("max_tokens", STANDARD, 1, Integer.MAX_VALUE);
    int top = f.count("logprobs", -1, 0, SamplingFields.MOST_LOGPROBS);
    boolean echo = f.flag("echo", false);
    if (echo && top >= 0) {
      throw ApiError.unsupported("echo", "echo with logprobs is not supported by this server: leave one of them out");
    }
    boolean stream = f.flag("stream", false);
    boolean usage = Streaming.usage(f, stream);
    List<int[]> prompts = prompts(f.required("prompt", "a text, tokens, or a list of them"), tokenizer, model.model());
    f.end();
    if ((long) prompts.size() * params.samples() > bounds.samples()) {
      throw ApiError.invalid("n", prompts.size() + " prompts with n " + params.samples() + " are "
          + (long) prompts.size() * params.samples() + " samples: at most " + bounds.samples() + " are made in one request");
    }
    List<SamplingParams> each = prompts.stream()
        .map(p -> SamplingFields.limited(params, limit, "max_tokens", p.length, model.model().contextLength())).toList();
    return new CompletionRequest(model, prompts, each, top, echo, stream, usage);
  }

  private static List<int[]> prompts(JsonNode node, Tokenizer tokenizer, ModelBackend model) {
    if (node.isString()) {
      return List.of(tokens(tokenizer, Texts.unicode(node.stringValue(), "prompt")));
    }
    List<int[]> out = new ArrayList<>();
    if (node.isArray() && node.path(0).isNumber()) {
      out.add(Texts.ids(node, "prompt", "prompt", model.vocabSize()));
    } else {
      for (JsonNode each : node) {
        String place = "prompt[" + out.size() + "]";
        out.add(each.isString() ? tokens(tokenizer, Texts.unicode(each.stringValue(), place))
            : Texts.ids(each, "prompt", place, model.vocabSize()));
      }
    }
    if (out.isEmpty()) {
      throw ApiError.invalid("prompt", "prompt is " + Fields.excerpt(node) + ": give a text, tokens, or a list of them");
    }
    return out;
  }

  private static int[] tokens(Tokenizer tokenizer, String text) {
    int[] ids = PromptTokens.of(tokenizer, text);
    if (ids.length == 0) {
      throw ApiError.invalid("prompt", "prompt is an empty text, and this model has no token to begin with: give some text");
    }
    return ids;
  }
}
