package dev.fettle.internal;

import dev.fettle.MemoryPlan;
import dev.fettle.Renderer;
import dev.fettle.Sample;
import dev.fettle.SamplingParams;
import dev.fettle.Token;
import dev.fettle.Tokenizer;
import dev.fettle.UnsupportedModelException;
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

  /**
   * Begins samples that are made together with all others that were begun so, and returns at once. They join and leave while
   * the others go on.
   */
  default void begin(LiveRequest request) {
    throw new UnsupportedModelException("samples that join others are for models on this machine, see Fettle.local()");
  }

  /** For each sequence the logprob of each token after the first. */
  CompletableFuture<List<float[]>> logprobs(List<int[]> sequences);

  /**
   * The likeliest tokens, and the logprobs of some, at the places of a sequence from one on up to the last but one.
   *
   * @param k how many of the likeliest
   * @param asked for each place tokens, as many at each
   */
  default CompletableFuture<TokenScores> scores(int[] tokens, int from, int k, int[][] asked) {
    throw new UnsupportedModelException("the likeliest tokens at a place are for models on this machine, see Fettle.local()");
  }

  @Override
  void close();
}
