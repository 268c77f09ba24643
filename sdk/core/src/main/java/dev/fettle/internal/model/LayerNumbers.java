package dev.fettle.internal.model;

/**
 * The numbers that kernels need of a layer, in the order in which they read them.
 *
 * @param heads query heads
 * @param kvHeads heads of keys and values
 * @param window how many positions a token sees, itself included; 0 for all. Of whole texts: how many to each side
 * @param tile queries that causal attention takes at once
 * @param scores attention scores that the backward pass over whole texts holds at once
 * @param causal whether a token sees those before it alone, or its whole text
 * @param gated whether the MLP's first product is gate and up
 * @param activation the MLP's
 * @param eps of the norms
 * @param scale of attention scores
 * @param unitOffset whether RMS norms multiply with 1 + weight, in float32, as Gemma's do
 * @param residual what each part is multiplied with before it is added to the residual stream
 * @param growthPeriod positions after which queries grow (Llama 4); 0 for never
 * @param growth how much: queries are multiplied with {@code 1 + growth log(1 + floor(position / growthPeriod))}
 * @param softCap what the magnitude of attention scores approaches, {@code cap tanh(score / cap)}; 0 for none
 * @param experts what stands in the place of the MLP, if not {@link Experts#NONE}
 */
public record LayerNumbers(int heads, int kvHeads, int window, int tile, long scores, boolean causal, boolean gated,
    Activation activation, boolean unitOffset, int growthPeriod, double growth, double eps, double scale,
    double residual, double softCap, Experts experts) {

  /**
   * Experts, of which each token goes through some.
   *
   * @param count how many there are
   * @param perToken through how many a token goes
   * @param normalised whether the weights of these add up to 1
   */
  public record Experts(int count, int perToken, boolean normalised) {
    /** An MLP. */
    public static final Experts NONE = new Experts(0, 0, false);
  }

  /** With an MLP, without what Gemma's layers have. */
  public LayerNumbers(int heads, int kvHeads, int window, int tile, long scores, boolean causal, boolean gated,
      Activation activation, double eps, double scale, double residual) {
    this(heads, kvHeads, window, tile, scores, causal, gated, activation, false, 0, 0, eps, scale, residual, 0, Experts.NONE);
  }

  /** The whole numbers ({@code Dim.HEADS} in the kernels' source). */
  public enum Dim {
    HEADS, KV_HEADS, WINDOW, TILE, SCORES, CAUSAL, GATED, ACTIVATION, UNIT_OFFSET, GROWTH_PERIOD, EXPERTS, EXPERTS_PER_TOKEN,
    NORMALISED
  }

  /** The others ({@code Real.EPS}). */
  public enum Real {
    EPS, SCALE, RESIDUAL, SOFT_CAP, GROWTH
  }

  /** What stands between the MLP's products ({@code Activation.SILU}). */
  public enum Activation {
    SILU, GELU, GELU_TANH
  }

  /** The same of a layer that sees to both sides, so many positions to each. */
  LayerNumbers bidirectional(int toEach) {
    return new LayerNumbers(heads, kvHeads, toEach, tile, EncoderFields.SCORES, false, gated, activation,
        unitOffset, growthPeriod, growth, eps, scale, residual, softCap, experts);
  }

  /** The whole numbers, as kernels take them. */
  public long[] dims() {
    return new long[] {heads, kvHeads, window, tile, scores, causal ? 1 : 0, gated ? 1 : 0, activation.ordinal(),
        unitOffset ? 1 : 0, growthPeriod, experts.count, experts.perToken, experts.normalised ? 1 : 0};
  }

  /** The others. */
  public double[] reals() {
    return new double[] {eps, scale, residual, softCap, growth};
  }
}
