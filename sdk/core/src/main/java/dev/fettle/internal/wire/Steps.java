package dev.fettle.internal.wire;

import java.util.Map;

/** Optimizer steps. */
public final class Steps {
  private Steps() {}

  /** The optimizer's settings; all of them are always sent. */
  public record AdamParams(Double learningRate, Double beta1, Double beta2, Double eps, Double weightDecay,
      Double gradClipNorm) {}

  /** {@code POST optim_step}. */
  public record OptimStep(AdamParams adamParams, String modelId, Integer seqId, String type) {
    public static OptimStep of(AdamParams settings, String modelId, int seqId) {
      return new OptimStep(settings, modelId, seqId, "optim_step");
    }
  }

  /** What became of it. */
  public record OptimResult(Map<String, Double> metrics) {}
}
