package dev.fettle.internal;

import dev.fettle.DType;
import dev.fettle.Renderer;
import dev.fettle.Tokenizer;
import dev.fettle.Tuning;

/** A loaded base model; see {@link dev.fettle.BaseModel}. */
public interface ModelBackend extends AutoCloseable {
  String name();

  DType dtype();

  long parameters();

  int vocabSize();

  int hiddenSize();

  int contextLength();

  Tokenizer tokenizer();

  Renderer renderer();

  TrainingBackend tune(Tuning tuning);

  SamplerBackend sampler();

  @Override
  void close();
}
