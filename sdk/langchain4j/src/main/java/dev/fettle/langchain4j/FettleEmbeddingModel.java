package dev.fettle.langchain4j;

import dev.fettle.BaseModel;
import dev.fettle.InvalidInputException;
import dev.fettle.Prompt;
import dev.fettle.Tokenizer;
import dev.fettle.Training;
import dev.langchain4j.data.embedding.Embedding;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.model.embedding.DimensionAwareEmbeddingModel;
import dev.langchain4j.model.embedding.listener.EmbeddingModelListener;
import dev.langchain4j.model.embedding.request.EmbeddingInput;
import dev.langchain4j.model.embedding.request.EmbeddingInputType;
import dev.langchain4j.model.embedding.request.EmbeddingParameter;
import dev.langchain4j.model.embedding.request.EmbeddingRequest;
import dev.langchain4j.model.embedding.request.EmbeddingRequestParameters;
import dev.langchain4j.model.embedding.response.EmbeddingResponse;
import dev.langchain4j.model.embedding.response.EmbeddingResponseMetadata;
import dev.langchain4j.model.output.TokenUsage;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Embeds texts with an encoder in this process; {@link BaseModel#embed(List)} says how vectors are made.
 *
 * <pre>{@code
 * EmbeddingModel model = FettleEmbeddingModel.builder().model(fettle.load("intfloat/e5-small-v2"))
 *     .queryPrompt(Prompt.of("query: ")).documentPrompt(Prompt.of("passage: ")).build();
 * }</pre>
 *
 * <p>A request's input type chooses the prompt that stands before each text; without one the model's default does. Numbers of
 * dimensions and other models' names are rejected by LangChain4j itself. Token usage counts the tokens of the texts as they
 * are given, without prompts, what is cut and the tokens that frame a text. Thread-safe; closes nothing.
 */
public final class FettleEmbeddingModel extends DimensionAwareEmbeddingModel {
  private final Encoder encoder;
  private final Tokenizer tokenizer;
  private final String modelName;
  private final Prompt queryPrompt;
  private final Prompt documentPrompt;
  private final List<EmbeddingModelListener> listeners;

  private FettleEmbeddingModel(Builder builder, Encoder encoder, BaseModel model) {
    this.encoder = encoder;
    this.tokenizer = model.tokenizer();
    this.modelName = builder.modelName == null ? model.name() : builder.modelName;
    this.queryPrompt = builder.queryPrompt == null ? Prompt.named("query") : builder.queryPrompt;
    this.documentPrompt = builder.documentPrompt == null ? Prompt.named("document") : builder.documentPrompt;
    this.listeners = builder.listeners;
  }

  /** What to build one with; a model or a training is all that it needs. */
  public static Builder builder() {
    return new Builder();
  }

  @Override
  public EmbeddingResponse doEmbed(EmbeddingRequest request) {
    List<String> texts = request.inputs().stream().map(EmbeddingInput::text).toList();
    try {
      List<float[]> vectors = encoder.embed(texts, prompt(request.inputType()));
      return EmbeddingResponse.builder()
          .embeddings(vectors.stream().map(Embedding::from).toList())
          .metadata(EmbeddingResponseMetadata.builder()
              .modelName(modelName)
              .tokenUsage(new TokenUsage(texts.stream().mapToInt(text -> tokenizer.encode(text).length).sum()))
              .build())
          .build();
    } catch (InvalidInputException e) {
      throw new InvalidRequestException(e);
    }
  }

  private @Nullable Prompt prompt(@Nullable EmbeddingInputType type) {
    return type == null ? null : type == EmbeddingInputType.QUERY ? queryPrompt : documentPrompt;
  }

  @Override
  public Set<EmbeddingParameter<?>> supportedParameters() {
    return Set.of(EmbeddingRequestParameters.INPUT_TYPE);
  }

  @Override
  public List<EmbeddingModelListener> listeners() {
    return listeners;
  }

  @Override
  public String modelName() {
    return modelName;
  }

  private interface Encoder {
    List<float[]> embed(List<String> texts, @Nullable Prompt prompt);
  }

  /** Builds a {@link FettleEmbeddingModel}. Not thread-safe. */
  public static final class Builder {
    private @Nullable BaseModel model;
    private @Nullable Encoder encoder;
    private @Nullable String modelName;
    private @Nullable Prompt queryPrompt;
    private @Nullable Prompt documentPrompt;
    private List<EmbeddingModelListener> listeners = List.of();

    private Builder() {}

    /** An encoder as it was loaded. */
    public Builder model(BaseModel value) {
      model = value;
      encoder = (texts, prompt) -> prompt == null ? value.embed(texts) : value.embed(texts, prompt);
      return this;
    }

    /** An encoder that is or was trained, as in {@code model.tune(Lora.from(adapter))}; each call embeds with its weights of then. */
    public Builder training(Training value) {
      model = value.model();
      encoder = (texts, prompt) -> prompt == null ? value.embed(texts) : value.embed(texts, prompt);
      return this;
    }

    /** The name that responses bear; default that of the model. */
    public Builder modelName(@Nullable String value) {
      modelName = value;
      return this;
    }

    /** What stands before a query; default the model's prompt of the name {@code query}. */
    public Builder queryPrompt(@Nullable Prompt value) {
      queryPrompt = value;
      return this;
    }

    /** What stands before a document; default the model's prompt of the name {@code document}. */
    public Builder documentPrompt(@Nullable Prompt value) {
      documentPrompt = value;
      return this;
    }

    /** Who hears of each request, its response or its error. */
    public Builder listeners(@Nullable List<EmbeddingModelListener> value) {
      listeners = value == null ? List.of() : List.copyOf(value);
      return this;
    }

    /** Who hears of each request, its response or its error. */
    public Builder listeners(EmbeddingModelListener... value) {
      return listeners(Arrays.asList(value));
    }

    /**
     * The model.
     *
     * @throws IllegalArgumentException if neither a model nor a training was given
     */
    public FettleEmbeddingModel build() {
      if (model == null || encoder == null) {
        throw new IllegalArgumentException("no model: give one by model(fettle.load(...)), or a training by training(...)");
      }
      return new FettleEmbeddingModel(this, encoder, model);
    }
  }
}
