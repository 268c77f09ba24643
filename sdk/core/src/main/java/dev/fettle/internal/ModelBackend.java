package dev.fettle.internal;

import dev.fettle.DType;
import dev.fettle.GgufType;
import dev.fettle.Prompt;
import dev.fettle.Quantisation;
import dev.fettle.Renderer;
import dev.fettle.Tokenizer;
import dev.fettle.Tuning;
import dev.fettle.UnsupportedModelException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/** A loaded base model; see {@link dev.fettle.BaseModel}. */
public interface ModelBackend extends AutoCloseable {
  String name();

  DType dtype();

  /** How its weights were asked to be held. */
  default Optional<Quantisation> quantisation() {
    return Optional.empty();
  }

  long parameters();

  int vocabSize();

  int hiddenSize();

  int contextLength();

  Tokenizer tokenizer();

  Renderer renderer();

  /** Whether it predicts tokens; else it gives vectors or scores of texts. */
  default boolean predictsTokens() {
    return true;
  }

  TrainingBackend tune(Tuning tuning);

  SamplerBackend sampler();

  /** Writes it as one GGUF. */
  default void saveGguf(Path file, GgufType type, ProgressMeter meter) {
    throw new UnsupportedModelException(name() + ": a GGUF is written of models on this machine only, see Fettle.local()");
  }

  /** The prompts that it has for texts to embed, by name. */
  default Map<String, String> prompts() {
    throw noEmbedding();
  }

  /** The name of the one that stands before a text for which none is chosen. */
  default Optional<String> defaultPrompt() {
    throw noEmbedding();
  }

  /**
   * Vectors of texts, in order; before each stands the prompt that is chosen, or else the model's default, and it is cut at
   * a number of tokens, or where the model's directory says.
   */
  default List<float[]> embed(List<String> texts, Optional<Prompt> prompt, OptionalInt maxTokens, ProgressMeter meter) {
    throw noEmbedding();
  }

  /** How well texts answer a query, in order, as logits. */
  default float[] score(String query, List<String> texts, ProgressMeter meter) {
    throw new UnsupportedModelException(name() + ": texts are scored on this machine only, see Fettle.local()");
  }

  private UnsupportedModelException noEmbedding() {
    return new UnsupportedModelException(name() + ": texts are embedded on this machine only, see Fettle.local()");
  }

  @Override
  void close();
}
