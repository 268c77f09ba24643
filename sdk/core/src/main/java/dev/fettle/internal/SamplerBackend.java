package dev.fettle.internal;

import dev.fettle.MemoryPlan;
import dev.fettle.Renderer;
import dev.fettle.Sample;
import dev.fettle.SamplingParams;
import dev.fettle.Token;
import dev.fettle.Tokenizer;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** Weights frozen for sampling; see {@link dev.fettle.Sampler}. */
public interface SamplerBackend extends AutoCloseable {
  Tokenizer tokenizer();

  Renderer renderer();

  /** For each prompt its samples. */
  default CompletableFuture<List<List<Sample>>> sample(List<int[]> prompts, SamplingParams params) {
    return sample(prompts, params, new ProgressMeter());
  }

  /** For each prompt its samples; tells how many are there. */
  CompletableFuture<List<List<Sample>>> sample(List<int[]> prompts, SamplingParams params, ProgressMeter meter);

  /** The native memory that sampling continuations of prompts will hold. */
  default CompletableFuture<MemoryPlan> memoryPlan(List<int[]> prompts, SamplingParams params) {
    throw TrainingBackend.unplanned();
  }

  Iterator<Token> stream(int[] prompt, SamplingParams params);

  /** For each sequence the logprob of each token after the first. */
  CompletableFuture<List<float[]>> logprobs(List<int[]> sequences);

  @Override
  void close();
}
