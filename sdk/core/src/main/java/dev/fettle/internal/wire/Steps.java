package dev.fettle.internal.wire;

import dev.fettle.internal.json.JsonNode;
import java.util.Map;

/** Optimizer steps. */
public final class Steps {
  private Steps() {}

  /** The optimizer's settings; all of them are always sent. */
  public record AdamParams(Double learningRate, Double beta1, Double beta2, Double eps, Double weightDecay,
      Double gradClipNorm) {}

  /** {@code POST optim_step}; other optimizers than Adam have their settings in {@code optimizerParams}. */
  public record OptimStep(AdamParams adamParams, JsonNode optimizerParams, String modelId, Integer seqId, String type) {
    public static OptimStep of(AdamParams settings, String modelId, int seqId) {
      return new OptimStep(settings, null, modelId, seqId, "optim_step");
    }
  }

  /** Which optimizer a model has. */
  public record OptimizerConfig(String type) {
    /** The one that Fettle has. */
    public static final OptimizerConfig ADAMW = new OptimizerConfig("adamw");
  }

  /** What became of it. */
  public record OptimResult(Map<String, Double> metrics) {}
}
