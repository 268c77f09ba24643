package dev.fettle;

import dev.fettle.internal.ModelBackend;
import dev.fettle.internal.NoNulls;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A pre-trained model. Its weights never change: trainings and samplers share them. Thread-safe; closed with its
 * {@link Fettle}, or earlier by {@link #close()}.
 */
public final class BaseModel implements AutoCloseable {
  private final ModelBackend backend;

  BaseModel(ModelBackend backend) {
    this.backend = backend;
  }

  /**
   * Begins a training. Several may be under way at a time; none disturbs another.
   *
   * @throws InvalidInputException if what is to be trained does not exist in this model
   * @throws NotEnoughMemoryException if it would not fit
   */
  public Training tune(Tuning tuning) {
    return new Training(this, backend.tune(Objects.requireNonNull(tuning, "tuning")));
  }

  ModelBackend backend() {
    return backend;
  }

  /** A sampler of the model as it is. */
  public Sampler sampler() {
    return new Sampler(backend.sampler());
  }

  /**
   * The vectors of texts, in order: what an encoder gives, pooled and brought into its final form as its directory says in
   * sentence-transformers' files ({@code modules.json} and what it lists: {@code Pooling}, {@code Dense}, {@code Normalize}),
   * else the mean over tokens, of length 1. They have {@link #hiddenSize()} numbers, unless several poolings or a
   * {@code Dense} change that; the weights of a {@code Dense} are not trained, and saved as they are. A decoder with such a
   * list, like Qwen3-Embedding, is an encoder too. A text is cut at the {@code max_seq_length} of
   * {@code sentence_bert_config.json}, else at {@code model_max_length} of {@code tokenizer_config.json}, and in any case at
   * {@link #contextLength()}; what
   * {@code tokenizer.json} says of cutting and padding does not count. Before each text stands the default prompt of
   * {@code config_sentence_transformers.json}, if the model has one.
   *
   * @throws UnsupportedModelException if the model is no encoder
   */
  public List<float[]> embed(List<String> texts) {
    return embed(texts, Optional.empty(), OptionalInt.empty());
  }

  /** The vectors of texts; see {@link #embed(List)}. */
  public List<float[]> embed(String... texts) {
    return embed(List.of(NoNulls.in(texts, "texts")));
  }

  /**
   * The vectors of texts that are cut at so many tokens, the model's own {@code [CLS]} and {@code [SEP]} included; see
   * {@link #embed(List)}.
   *
   * @throws InvalidInputException if that is more than {@link #contextLength()} or holds no token of the text
   */
  public List<float[]> embed(List<String> texts, int maxTokens) {
    return embed(texts, Optional.empty(), OptionalInt.of(maxTokens));
  }

  /**
   * The vectors of texts with another prompt before each than the model's default; see {@link #embed(List)}.
   *
   * @throws InvalidInputException if the model has none of the name
   */
  public List<float[]> embed(List<String> texts, Prompt prompt) {
    return embed(texts, Optional.of(Objects.requireNonNull(prompt, "prompt")), OptionalInt.empty());
  }

  /** The same of texts that are cut, prompt included; see {@link #embed(List, int)}. */
  public List<float[]> embed(List<String> texts, Prompt prompt, int maxTokens) {
    return embed(texts, Optional.of(Objects.requireNonNull(prompt, "prompt")), OptionalInt.of(maxTokens));
  }

  private List<float[]> embed(List<String> texts, Optional<Prompt> prompt, OptionalInt maxTokens) {
    List<String> all = List.copyOf(NoNulls.in(texts, "texts"));
    return Progress.watch("embed", meter -> backend.embed(all, prompt, maxTokens, meter));
  }

  /**
   * How well each text answers a query, in order: the higher, the better. A cross-encoder (transformers'
   * {@code ForSequenceClassification} with one label or with two, no and yes) reads query and text together, cut as
   * {@link #embed(List)} cuts texts, the longer of the two first; a causal language model is asked for yes or no, a
   * Qwen3-Reranker as it was trained to be. The score is a logit, or the logit of yes less that of no: what
   * sentence-transformers' {@code CrossEncoder.predict} gives without an activation. {@code 1 / (1 + exp(-score))} is the
   * probability of yes. The losses over rankings tune it.
   *
   * @throws UnsupportedModelException if the model embeds texts
   */
  public float[] score(String query, List<String> texts) {
    Objects.requireNonNull(query, "query");
    List<String> all = List.copyOf(NoNulls.in(texts, "texts"));
    return Progress.watch("score", meter -> backend.score(query, all, meter));
  }

  /**
   * The prompts that the model has for texts to embed, by name. {@code query} and {@code document} are always among them, as
   * in sentence-transformers, and empty where the model does not give them.
   *
   * @throws UnsupportedModelException if the model is no encoder
   */
  public Map<String, String> prompts() {
    return backend.prompts();
  }

  /** The name of the prompt that stands before a text for which none is chosen; see {@link #prompts()}. */
  public Optional<String> defaultPrompt() {
    return backend.defaultPrompt();
  }

  /**
   * Saves the model as one file for llama.cpp, Ollama and the like; with an adapter, {@code tune(Lora.from(adapter)).saveGguf}.
   * What was quantised while it was loaded is written from the files it was loaded from, if they are as they were.
   *
   * @throws UnsupportedModelException as {@link Training#saveGguf(Path, GgufType)}
   * @throws InvalidInputException as {@link Training#saveGguf(Path, GgufType)}
   */
  public void saveGguf(Path file, GgufType type) {
    Objects.requireNonNull(file, "file");
    Objects.requireNonNull(type, "type");
    Progress.watch("save", meter -> {
      backend.saveGguf(file, type, meter);
      return null;
    });
  }

  /** The name that it was loaded by. */
  public String name() {
    return backend.name();
  }

  /** The number type it computes in. */
  public DType dtype() {
    return backend.dtype();
  }

  /** The number of weights. */
  public long parameters() {
    return backend.parameters();
  }

  /** The width of its residual stream. */
  public int hiddenSize() {
    return backend.hiddenSize();
  }

  /** The number of token ids. */
  public int vocabSize() {
    return backend.vocabSize();
  }

  /** The longest sequence, in tokens. */
  public int contextLength() {
    return backend.contextLength();
  }

  /** Its tokenizer. */
  public Tokenizer tokenizer() {
    return backend.tokenizer();
  }

  /** How its chats become tokens, by its own chat template. */
  public Renderer renderer() {
    return backend.renderer();
  }

  /**
   * A learning rate to start from, {@link LearningRates#suggest(String, int, boolean)} for this model; of a hybrid, that
   * of its adapters.
   *
   * @throws InvalidInputException for models that the rule does not cover
   */
  public double suggestedLearningRate(Tuning tuning) {
    Objects.requireNonNull(tuning, "tuning");
    return LearningRates.suggest(name(), hiddenSize(), !(tuning instanceof Full));
  }

  /** Frees the model and closes all trainings and samplers of it. Idempotent. */
  @Override
  public void close() {
    backend.close();
  }

  /** How its linear layers are held, if that was asked for when it was loaded. */
  public Optional<Quantisation> quantisation() {
    return backend.quantisation();
  }

  @Override
  public String toString() {
    String name = name().length() > 40 ? "..." + name().substring(name().length() - 37) : name();
    return parameters() == 0 ? "BaseModel[" + name + "]"
        : String.format(Locale.ROOT, "BaseModel[%s, %.1f M parameters, %s%s]", name, parameters() / 1e6, dtype(),
            quantisation().map(q -> ", " + q.form().name().toLowerCase(Locale.ROOT)).orElse(""));
  }
}
