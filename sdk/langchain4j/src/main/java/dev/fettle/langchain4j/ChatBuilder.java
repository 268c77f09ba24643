package dev.fettle.langchain4j;

import dev.fettle.BaseModel;
import dev.fettle.Sampler;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.request.DefaultChatRequestParameters;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What both chat models are built with. As everywhere in LangChain4j, null is the default. */
abstract class ChatBuilder<B extends ChatBuilder<B>> {
  private @Nullable Sampler sampler;
  private @Nullable String modelName;
  private @Nullable Long seed;
  private @Nullable Boolean returnThinking;
  private @Nullable Boolean sendThinking;
  private @Nullable ChatRequestParameters defaults;
  private List<ChatModelListener> listeners = List.of();
  private final DefaultChatRequestParameters.Builder<?> own = ChatRequestParameters.builder();

  @SuppressWarnings("unchecked")
  private B self() {
    return (B) this;
  }

  /** What answers: of a training, with its adapter, or of a model. */
  public B sampler(Sampler value) {
    sampler = value;
    return self();
  }

  /** A model that answers as it was loaded; gives {@link #modelName} its name too. */
  public B model(BaseModel value) {
    sampler = value.sampler();
    modelName = modelName == null ? value.name() : modelName;
    return self();
  }

  /** The name that responses bear, and the only one that a request may ask for; default {@code fettle}. */
  public B modelName(@Nullable String value) {
    modelName = value;
    return self();
  }

  /** Divides the logits; 0, the default, takes the likeliest token. */
  public B temperature(@Nullable Double value) {
    own.temperature(value);
    return self();
  }

  /** Only the likeliest tokens that together have this probability are sampled; default 1, all. */
  public B topP(@Nullable Double value) {
    own.topP(value);
    return self();
  }

  /** Only so many of the likeliest tokens are sampled; default 0, all. */
  public B topK(@Nullable Integer value) {
    own.topK(value);
    return self();
  }

  /** The most new tokens of an answer; default {@value ChatSettings#MAX_OUTPUT_TOKENS}, or what the context has left. */
  public B maxOutputTokens(@Nullable Integer value) {
    own.maxOutputTokens(value);
    return self();
  }

  /** Texts that end an answer and are no part of it. */
  public B stopSequences(@Nullable List<String> value) {
    own.stopSequences(value);
    return self();
  }

  /** What a request does not say; the builder's own settings win over it. */
  public B defaultRequestParameters(@Nullable ChatRequestParameters value) {
    defaults = value;
    return self();
  }

  /** Of the random choices, so that equal requests get equal answers; by default each request has another. */
  public B seed(@Nullable Long value) {
    seed = value;
    return self();
  }

  /** Whether answers hold what the model thought before; default false. */
  public B returnThinking(@Nullable Boolean value) {
    returnThinking = value;
    return self();
  }

  /** Whether what an earlier answer holds of its thinking is given to the chat template; default false. */
  public B sendThinking(@Nullable Boolean value) {
    sendThinking = value;
    return self();
  }

  /** Who hears of each request, its response or its error. */
  public B listeners(@Nullable List<ChatModelListener> value) {
    listeners = value == null ? List.of() : List.copyOf(value);
    return self();
  }

  /** Who hears of each request, its response or its error. */
  public B listeners(ChatModelListener... value) {
    return listeners(Arrays.asList(value));
  }

  final ChatSettings settings() {
    if (sampler == null) {
      throw new IllegalArgumentException("no sampler: give one by sampler(training.sampler()), or a model by model(baseModel)");
    }
    String name = modelName == null ? "fettle" : modelName;
    ChatRequestParameters given = defaults == null ? DefaultChatRequestParameters.EMPTY : defaults;
    ChatRequestParameters all = ChatRequestParameters.builder().modelName(name)
        .temperature(0.0).topP(1.0).maxOutputTokens(ChatSettings.MAX_OUTPUT_TOKENS).build()
        .overrideWith(given).overrideWith(own.build());
    ChatSettings settings = new ChatSettings(sampler, name, all, seed, Boolean.TRUE.equals(returnThinking),
        Boolean.TRUE.equals(sendThinking), listeners);
    settings.requireSupported(all);
    return settings;
  }
}
