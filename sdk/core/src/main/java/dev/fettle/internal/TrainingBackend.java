package dev.fettle.internal;

import dev.fettle.AdamW;
import dev.fettle.Batch;
import dev.fettle.DType;
import dev.fettle.DataPosition;
import dev.fettle.GgufType;
import dev.fettle.Loss;
import dev.fettle.LossResult;
import dev.fettle.MemoryPlan;
import dev.fettle.OptimResult;
import dev.fettle.Prompt;
import dev.fettle.StepResult;
import dev.fettle.Trainable;
import dev.fettle.Tuning;
import dev.fettle.UnsupportedModelException;
import dev.fettle.ranking.RankLoss;
import dev.fettle.ranking.RankResult;
import dev.fettle.ranking.Ranked;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;

/** A training in progress; see {@link dev.fettle.Training}. Verbs are carried out in the order in which they come. */
public interface TrainingBackend extends AutoCloseable {
  Tuning tuning();

  Trainable trainable();

  /** The native memory that it holds from step to step. */
  default CompletableFuture<MemoryPlan> memoryPlan() {
    throw unplanned();
  }

  /** The same with a pass over a batch and its way back. */
  default CompletableFuture<MemoryPlan> memoryPlan(Batch batch) {
    throw unplanned();
  }

  /** The same with a pass over ranked texts. */
  default CompletableFuture<MemoryPlan> memoryPlan(List<Ranked> batch, RankLoss loss) {
    throw unplanned();
  }

  /** What a backend says that does not plan memory. */
  static UnsupportedModelException unplanned() {
    return new UnsupportedModelException("memory is planned for models on this machine, see Fettle.local(): a service does "
        + "not say how it holds a training");
  }

  CompletableFuture<LossResult> forward(Batch batch, Loss loss);

  CompletableFuture<LossResult> forwardBackward(Batch batch, Loss loss);

  /** The loss and the scores of ranked texts; nothing changes. */
  default CompletableFuture<RankResult> forward(List<Ranked> batch, RankLoss loss) {
    throw onlyHere();
  }

  /** The same; the gradient is added to what has accumulated. */
  default CompletableFuture<RankResult> forwardBackward(List<Ranked> batch, RankLoss loss) {
    throw onlyHere();
  }

  /** A pass over ranked texts and, if it succeeds, the optimizer's step, with nothing between them. */
  default CompletableFuture<RankResult> step(List<Ranked> batch, RankLoss loss, AdamW settings) {
    throw onlyHere();
  }

  /** Vectors of texts with the weights as they are; see {@link ModelBackend#embed}. */
  default CompletableFuture<List<float[]>> embed(List<String> texts, Optional<Prompt> prompt, OptionalInt maxTokens,
      ProgressMeter meter) {
    throw onlyHere();
  }

  /** How well texts answer a query, with the weights as they are; see {@link ModelBackend#score}. */
  default CompletableFuture<float[]> score(String query, List<String> texts, ProgressMeter meter) {
    throw onlyHere();
  }

  private static UnsupportedModelException onlyHere() {
    return new UnsupportedModelException("vectors and rankings of texts are for models on this machine, see Fettle.local()");
  }

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

  /** Writes the model with what was trained folded in as one GGUF. */
  default CompletableFuture<Void> saveGguf(Path file, GgufType type, ProgressMeter meter) {
    throw noGguf();
  }

  /** Writes the adapter alone in llama.cpp's form. */
  default CompletableFuture<Void> saveGgufAdapter(Path file, ProgressMeter meter) {
    throw noGguf();
  }

  private static UnsupportedModelException noGguf() {
    return new UnsupportedModelException("a GGUF is written of trainings on this machine only, see Fettle.local(): save what the "
        + "service trained with saveAdapter, and load it here with Lora.from");
  }

  long steps();

  @Override
  void close();
}
