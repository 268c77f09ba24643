package dev.fettle.internal.openai;

import dev.fettle.Lora;
import dev.fettle.internal.Futures;
import dev.fettle.internal.ModelBackend;
import dev.fettle.internal.ProgressMeter;
import dev.fettle.internal.SamplerBackend;
import dev.fettle.internal.TrainingBackend;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** A model by the name that clients choose it by: the base, or an adapter over it. What it needs is made when it is asked for. */
final class Served implements AutoCloseable {
  private final String name;
  private final ModelBackend base;
  private final Path adapter;
  private SamplerBackend sampler;
  private TrainingBackend tuned;

  private Served(String name, ModelBackend base, Path adapter) {
    this.name = name;
    this.base = base;
    this.adapter = adapter;
  }

  /** The base. */
  static Served base(String name, ModelBackend base) {
    return new Served(name, base, null);
  }

  /** An adapter, which is read. */
  static Served adapter(String name, ModelBackend base, Path directory) {
    Served served = new Served(name, base, directory);
    served.tuned();
    if (base.predictsTokens()) {
      served.sampler();
      served.tuned.close();
      served.tuned = null;
    }
    return served;
  }

  String name() {
    return name;
  }

  boolean isBase() {
    return adapter == null;
  }

  /** The weights to sample from; refused for models that predict no tokens. */
  synchronized SamplerBackend sampler() {
    if (sampler == null) {
      sampler = adapter == null ? base.sampler() : Futures.join(tuned().sampler());
    }
    return sampler;
  }

  private synchronized TrainingBackend tuned() {
    if (tuned == null) {
      tuned = base.tune(Lora.from(adapter));
    }
    return tuned;
  }

  /** Vectors of texts; the meter counts the tokens that are read. */
  List<float[]> embed(List<String> texts, ProgressMeter meter) {
    return adapter == null ? base.embed(texts, Optional.empty(), OptionalInt.empty(), meter)
        : Futures.join(tuned().embed(texts, Optional.empty(), OptionalInt.empty(), meter));
  }

  /** How well texts answer a query, as logits. */
  float[] score(String query, List<String> texts, ProgressMeter meter) {
    return adapter == null ? base.score(query, texts, meter) : Futures.join(tuned().score(query, texts, meter));
  }

  ModelBackend model() {
    return base;
  }

  @Override
  public synchronized void close() {
    if (sampler != null) {
      sampler.close();
    }
    if (tuned != null) {
      tuned.close();
    }
  }
}
