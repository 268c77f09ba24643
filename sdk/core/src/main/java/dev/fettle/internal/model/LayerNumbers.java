package dev.fettle.internal.model;

/**
 * The numbers that kernels need of a layer, in the order in which they read them.
 *
 * @param heads query heads
 * @param kvHeads heads of keys and values
 * @param window how many positions a token sees, itself included; 0 for all
 * @param tile queries that causal attention takes at once
 * @param scores attention scores that the backward pass over whole texts holds at once
 * @param causal whether a token sees those before it alone, or its whole text
 * @param gated whether the MLP's first product is gate and up
 * @param activation the MLP's
 * @param eps of the norms
 * @param scale of attention scores
 * @param residual what each part is multiplied with before it is added to the residual stream
 */
public record LayerNumbers(int heads, int kvHeads, int window, int tile, long scores, boolean causal, boolean gated,
    Activation activation, double eps, double scale, double residual) {
  /** The whole numbers ({@code Dim.HEADS} in the kernels' source). */
  public enum Dim {
    HEADS, KV_HEADS, WINDOW, TILE, SCORES, CAUSAL, GATED, ACTIVATION
  }

  /** The others ({@code Real.EPS}). */
  public enum Real {
    EPS, SCALE, RESIDUAL
  }

  /** What stands between the MLP's products ({@code Activation.SILU}). */
  public enum Activation {
    SILU, GELU, GELU_TANH
  }

  /** The whole numbers, as kernels take them. */
  public long[] dims() {
    return new long[] {heads, kvHeads, window, tile, scores, causal ? 1 : 0, gated ? 1 : 0, activation.ordinal()};
  }

  /** The others. */
  public double[] reals() {
    return new double[] {eps, scale, residual};
  }
}
