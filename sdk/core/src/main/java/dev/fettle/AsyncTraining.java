package dev.fettle;

import dev.fettle.internal.TrainingBackend;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * The verbs of {@link Training} as futures, carried out in the order in which they are submitted. Arguments are checked
 * at once; what goes wrong later ends the future with the error that the blocking verb would throw. Thread-safe.
 */
public final class AsyncTraining {
  private final TrainingBackend backend;

  AsyncTraining(TrainingBackend backend) {
    this.backend = backend;
  }

  /** See {@link Training#forward(Batch, Loss)}. */
  public CompletableFuture<LossResult> forward(Batch batch, Loss loss) {
    return backend.forward(Objects.requireNonNull(batch, "batch"), Objects.requireNonNull(loss, "loss"));
  }

  /** See {@link Training#forwardBackward(Batch, Loss)}. */
  public CompletableFuture<LossResult> forwardBackward(Batch batch, Loss loss) {
    return backend.forwardBackward(Objects.requireNonNull(batch, "batch"), Objects.requireNonNull(loss, "loss"));
  }

  /** See {@link Training#optimStep(AdamW)}. */
  public CompletableFuture<OptimResult> optimStep(AdamW settings) {
    return backend.optimStep(Objects.requireNonNull(settings, "settings"));
  }

  /** See {@link Training#step(Batch, Loss, AdamW)}. */
  public CompletableFuture<StepResult> step(Batch batch, Loss loss, AdamW settings) {
    Objects.requireNonNull(loss, "loss");
    return backend.step(Objects.requireNonNull(batch, "batch"), loss, Objects.requireNonNull(settings, "settings"));
  }

  /** See {@link Training#sampler()}. */
  public CompletableFuture<Sampler> sampler() {
    return backend.sampler().thenApply(Sampler::new);
  }

  /** See {@link Training#saveState(Path)}. */
  public CompletableFuture<Void> saveState(Path directory) {
    return backend.saveState(Objects.requireNonNull(directory, "directory"), Optional.empty());
  }

  /** See {@link Training#saveState(Path, DataPosition)}. */
  public CompletableFuture<Void> saveState(Path directory, DataPosition position) {
    return backend.saveState(Objects.requireNonNull(directory, "directory"),
        Optional.of(Objects.requireNonNull(position, "position")));
  }

  /** See {@link Training#loadState(Path)}. */
  public CompletableFuture<Void> loadState(Path directory) {
    return backend.loadState(Objects.requireNonNull(directory, "directory"));
  }

  /** See {@link Training#saveMerged(Path, DType)}. */
  public CompletableFuture<Void> saveMerged(Path directory, DType type) {
    return backend.saveMerged(Objects.requireNonNull(directory, "directory"), Objects.requireNonNull(type, "type"));
  }

  /** See {@link Training#saveAdapter(Path)}. */
  public CompletableFuture<Void> saveAdapter(Path directory) {
    return backend.saveAdapter(Objects.requireNonNull(directory, "directory"));
  }

  @Override
  public String toString() {
    return "AsyncTraining[step " + backend.steps() + "]";
  }
}
