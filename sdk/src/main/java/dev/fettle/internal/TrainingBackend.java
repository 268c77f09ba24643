package dev.fettle.internal;

import dev.fettle.AdamW;
import dev.fettle.Batch;
import dev.fettle.DType;
import dev.fettle.DataPosition;
import dev.fettle.Loss;
import dev.fettle.LossResult;
import dev.fettle.OptimResult;
import dev.fettle.StepResult;
import dev.fettle.Trainable;
import dev.fettle.Tuning;
import dev.fettle.UnsupportedModelException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** A training in progress; see {@link dev.fettle.Training}. Verbs are carried out in the order in which they come. */
public interface TrainingBackend extends AutoCloseable {
  Tuning tuning();

  Trainable trainable();

  CompletableFuture<LossResult> forward(Batch batch, Loss loss);

  CompletableFuture<LossResult> forwardBackward(Batch batch, Loss loss);

  CompletableFuture<OptimResult> optimStep(AdamW settings);

  /** A pass and, if it succeeds, the optimizer's step, with nothing between them. */
  CompletableFuture<StepResult> step(Batch batch, Loss loss, AdamW settings);

  CompletableFuture<SamplerBackend> sampler();

  CompletableFuture<Void> saveState(Path directory, Optional<DataPosition> position);

  CompletableFuture<Void> loadState(Path directory);

  /** The weights of a state alone; optimizer and counters start anew. */
  default CompletableFuture<Void> loadWeights(Path directory) {
    return CompletableFuture.failedFuture(new UnsupportedModelException("weights alone cannot be loaded here"));
  }

  Optional<DataPosition> dataPosition();

  CompletableFuture<Void> saveAdapter(Path directory);

  CompletableFuture<Void> saveMerged(Path directory, DType type);

  long steps();

  @Override
  void close();
}
