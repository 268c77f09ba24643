package dev.fettle.internal.model;

/**
 * The numbers that kernels need of a layer, in the order in which they read them.
 *
 * @param heads query heads
 * @param kvHeads heads of keys and values
 * @param window how many positions a token sees, itself included; 0 for all. Of whole texts: how many to each side
 * @param tile queries that causal attention takes at once, or tokens of a chunk in a layer with a state
 * @param scores attention scores that the backward pass over whole texts holds at once; tokens, each counted once a head, that a
 *     layer with a state takes at once
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
 * @param outputGate whether each query has a gate beside it, for what attention gives (Qwen 3.5)
 * @param delta what stands in the place of attention, if not {@link Delta#NONE}
 */
public record LayerNumbers(int heads, int kvHeads, int window, int tile, long scores, boolean causal, boolean gated,
    Activation activation, boolean unitOffset, int growthPeriod, double growth, double eps, double scale,
    double residual, double softCap, Experts experts, boolean outputGate, Delta delta) {

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

  /**
   * A gated delta rule (Yang et al. 2025): a state for each head of values, and a short convolution before it.
   *
   * @param keyHeads heads of queries and of keys, each for as many value heads
   * @param width tokens that the convolution reads
   */
  public record Delta(int keyHeads, int valueHeads, int keyDim, int valueDim, int width) {
    /** Attention. */
    public static final Delta NONE = new Delta(0, 0, 0, 0, 0);

    /** Numbers in all queries, or keys, of a token. */
    public int keys() {
      return keyHeads * keyDim;
    }

    /** Numbers in all values of a token. */
    public int values() {
      return valueHeads * valueDim;
    }

    /** Numbers of a token that are convolved. */
    public int convolved() {
      return 2 * keys() + values();
    }

    /** Numbers in the states of a sequence. */
    public long state() {
      return (long) values() * keyDim;
    }
  }

  /** With an MLP, without what Gemma's layers have. */
  public LayerNumbers(int heads, int kvHeads, int window, int tile, long scores, boolean causal, boolean gated,
      Activation activation, double eps, double scale, double residual) {
    this(heads, kvHeads, window, tile, scores, causal, gated, activation, false, 0, 0, eps, scale, residual, 0, Experts.NONE,
        false, Delta.NONE);
  }

  /** The whole numbers ({@code Dim.HEADS} in the kernels' source). */
  public enum Dim {
    HEADS, KV_HEADS, WINDOW, TILE, SCORES, CAUSAL, GATED, ACTIVATION, UNIT_OFFSET, GROWTH_PERIOD, EXPERTS, EXPERTS_PER_TOKEN,
    NORMALISED, OUTPUT_GATE, DELTA_KEY_HEADS, DELTA_VALUE_HEADS, DELTA_KEY_DIM, DELTA_VALUE_DIM
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
    return new LayerNumbers(heads, kvHeads, toEach, tile, delta == Delta.NONE ? EncoderFields.SCORES : scores, false, gated, activation,
        unitOffset, growthPeriod, growth, eps, scale, residual, softCap, experts, outputGate, delta);
  }

  /** The whole numbers, as kernels take them. */
  public long[] dims() {
    return new long[] {heads, kvHeads, window, tile, scores, causal ? 1 : 0, gated ? 1 : 0, activation.ordinal(),
        unitOffset ? 1 : 0, growthPeriod, experts.count, experts.perToken, experts.normalised ? 1 : 0,
        outputGate ? 1 : 0, delta.keyHeads, delta.valueHeads, delta.keyDim, delta.valueDim};
  }

  /** The others. */
  public double[] reals() {
    return new double[] {eps, scale, residual, softCap, growth};
  }
}
