package dev.fettle;

import java.util.Arrays;
import java.util.Objects;

/**
 * One training sequence: the tokens that go in and, position by position, what the loss needs to know. All arrays have
 * the length of {@link #inputs()}; position {@code i} predicts {@code targets[i]} from {@code inputs[0..i]}. Only a datum
 * with several targets at each position has {@link #width()} times as many targets and weights.
 * Immutable and thread-safe; accessors return copies of nothing, so do not write into the arrays.
 */
public final class Datum {
  private static final float[] NONE = {};
  private static final int MOST_TARGETS = 1 << 27;

  private final int[] inputs;
  private final int width;
  private final int[] targets;
  private final float[] weights;
  private final float[] logprobs;
  private final float[] advantages;

  private Datum(int[] inputs, int[] targets, float[] weights, float[] logprobs, float[] advantages) {
    this(inputs, 1, targets, weights, logprobs, advantages);
  }

  private Datum(int[] inputs, int width, int[] targets, float[] weights, float[] logprobs, float[] advantages) {
    this.inputs = inputs;
    this.width = width;
    this.targets = targets;
    this.weights = weights;
    this.logprobs = logprobs;
    this.advantages = advantages;
    require(inputs.length > 0, "a datum needs at least one input token");
    sameLength("targets", targets.length);
    for (int i = 0; i < inputs.length; i++) {
      require(inputs[i] >= 0, "inputs[%d] = %d: a token id is not negative", i, inputs[i]);
    }
    for (int i = 0; i < targets.length; i++) {
      require(targets[i] >= 0, "targets[%d] = %d: a token id is not negative", i, targets[i]);
    }
    finite("weights", weights);
    finite("logprobs", logprobs);
    finite("advantages", advantages);
  }

  /**
   * A supervised datum from a whole token sequence and a weight for each token: position {@code i} predicts token
   * {@code i + 1}, so the first weight is never used.
   *
   * @throws InvalidInputException if there are fewer than 2 tokens, the lengths differ, or a weight is not finite
   */
  public static Datum of(int[] tokens, float[] weights) {
    Objects.requireNonNull(tokens, "tokens");
    Objects.requireNonNull(weights, "weights");
    require(tokens.length >= 2, "a datum needs at least 2 tokens, one to read and one to predict; got %d", tokens.length);
    require(tokens.length == weights.length, "%d tokens but %d weights", tokens.length, weights.length);
    int n = tokens.length;
    return new Datum(Arrays.copyOf(tokens, n - 1), Arrays.copyOfRange(tokens, 1, n), Arrays.copyOfRange(weights, 1, n),
        NONE, NONE);
  }

  /** A supervised datum in which every token after the first is predicted with weight 1. */
  public static Datum of(int... tokens) {
    Objects.requireNonNull(tokens, "tokens");
    float[] ones = new float[tokens.length];
    Arrays.fill(ones, 1f);
    return of(tokens, ones);
  }

  /**
   * A supervised datum with explicit targets, for {@link Loss#crossEntropy()}.
   *
   * @throws InvalidInputException if the lengths differ or a weight is not finite
   */
  public static Datum supervised(int[] inputs, int[] targets, float[] weights) {
    return new Datum(copy("inputs", inputs), copy("targets", targets), copy("weights", weights), NONE, NONE);
  }

  /**
   * A supervised datum with any number of targets at each position, for {@link Loss#crossEntropy()}, which sums over them: with
   * the probabilities of another model as weights, their distribution is learnt. Rows shorter than the longest are filled up with
   * token 0 and weight 0.
   *
   * @param targets for each position the tokens to predict
   * @param weights for each position the weight of each of its targets
   * @throws InvalidInputException if the lengths differ, there are more than 2^27 targets, or a weight is not finite
   */
  public static Datum supervised(int[] inputs, int[][] targets, float[][] weights) {
    Objects.requireNonNull(inputs, "inputs");
    Objects.requireNonNull(targets, "targets");
    Objects.requireNonNull(weights, "weights");
    require(targets.length == inputs.length, "%d inputs but %d rows of targets", inputs.length, targets.length);
    require(weights.length == inputs.length, "%d inputs but %d rows of weights", inputs.length, weights.length);
    int width = 1;
    for (int i = 0; i < targets.length; i++) {
      int row = Objects.requireNonNull(targets[i], "targets[" + i + "]").length;
      int weighed = Objects.requireNonNull(weights[i], "weights[" + i + "]").length;
      require(row == weighed, "position %d has %d targets but %d weights", i, row, weighed);
      width = Math.max(width, row);
    }
    require((long) width * inputs.length <= MOST_TARGETS, "%d positions with %d targets: at most %d targets in all", inputs.length,
        width, MOST_TARGETS);
    int[] all = new int[inputs.length * width];
    float[] each = new float[all.length];
    for (int i = 0; i < targets.length; i++) {
      System.arraycopy(targets[i], 0, all, i * width, targets[i].length);
      System.arraycopy(weights[i], 0, each, i * width, weights[i].length);
    }
    return new Datum(inputs.clone(), width, all, each, NONE, NONE);
  }

  /**
   * This with other weights and without logprobs and advantages, for {@link Loss#crossEntropy()}.
   *
   * @param weights one for each of {@link #targets()}
   * @throws InvalidInputException if the lengths differ or a weight is not finite
   */
  public Datum withWeights(float[] weights) {
    return new Datum(inputs, width, targets, copy("weights", weights), NONE, NONE);
  }

  /**
   * A reinforcement-learning datum. Prompt positions have advantage 0 and sampling logprob 0; they add nothing to any
   * loss.
   *
   * @param logprobs of the targets under the policy that sampled them, in nats
   * @throws InvalidInputException if the lengths differ or a value is not finite
   */
  public static Datum reinforcement(int[] inputs, int[] targets, float[] logprobs, float[] advantages) {
    return new Datum(copy("inputs", inputs), copy("targets", targets), NONE, copy("logprobs", logprobs),
        copy("advantages", advantages));
  }

  /**
   * A reinforcement-learning datum of a sampled answer.
   *
   * @param advantages one for each of the sample's tokens, or one for all of them
   * @throws InvalidInputException if the prompt is empty, or the number of advantages fits neither
   */
  public static Datum sampled(int[] prompt, Sample sample, float... advantages) {
    Objects.requireNonNull(advantages, "advantages");
    int first = Objects.requireNonNull(prompt, "prompt").length;
    int[] answer = Objects.requireNonNull(sample, "sample").tokens();
    require(first > 0, "an empty prompt: give at least one token");
    require(answer.length > 0, "an empty sample has nothing to learn from");
    require(advantages.length == answer.length || advantages.length == 1, "%d sampled tokens but %d advantages",
        answer.length, advantages.length);
    int[] all = Arrays.copyOf(prompt, first + answer.length);
    System.arraycopy(answer, 0, all, first, answer.length);
    int n = all.length - 1;
    float[] logprobs = new float[n];
    float[] each = new float[n];
    System.arraycopy(sample.logprobs(), 0, logprobs, first - 1, answer.length);
    for (int i = 0; i < answer.length; i++) {
      each[first - 1 + i] = advantages[advantages.length == 1 ? 0 : i];
    }
    return new Datum(Arrays.copyOf(all, n), Arrays.copyOfRange(all, 1, n + 1), NONE, logprobs, each);
  }

  /** The tokens that the model reads. */
  public int[] inputs() {
    return inputs;
  }

  /** The tokens to predict: {@link #width()} at each position, position after position. */
  public int[] targets() {
    return targets;
  }

  /** How many targets each position has; 1 but for a datum with several. */
  public int width() {
    return width;
  }

  /** Whether it has logprobs and advantages, and no weights: whether it is for the losses of reinforcement learning. */
  public boolean isReinforcement() {
    return advantages != NONE;
  }

  /** The weight of each target in the cross-entropy; empty in a reinforcement datum. */
  public float[] weights() {
    return weights;
  }

  /** The sampler's logprobs; empty in a supervised datum. */
  public float[] logprobs() {
    return logprobs;
  }

  /** The advantages; empty in a supervised datum. */
  public float[] advantages() {
    return advantages;
  }

  /** The number of positions. */
  public int length() {
    return inputs.length;
  }

  /** Whether target {@code i} of {@link #targets()} takes part in the loss: its weight, or else its advantage, is not zero. */
  public boolean trains(int i) {
    return (isReinforcement() ? advantages : weights)[i] != 0;
  }

  /** How many targets take part in the loss. */
  public int trainedTokens() {
    int n = 0;
    for (int i = 0; i < targets.length; i++) {
      if (trains(i)) {
        n++;
      }
    }
    return n;
  }

  @Override
  public String toString() {
    return "Datum[" + length() + " tokens, " + trainedTokens() + " trained]";
  }

  private static int[] copy(String name, int[] values) {
    return Objects.requireNonNull(values, name).clone();
  }

  private static float[] copy(String name, float[] values) {
    return Objects.requireNonNull(values, name).clone();
  }

  private void sameLength(String name, int length) {
    require(length == inputs.length * width, width == 1 ? "%d inputs but %d %s" : "%d targets but %d %s", inputs.length * width,
        length, name);
  }

  private void finite(String name, float[] values) {
    if (values == NONE) {
      return;
    }
    sameLength(name, values.length);
    for (int i = 0; i < values.length; i++) {
      require(Float.isFinite(values[i]), "%s[%d] = %s: must be finite", name, i, values[i]);
    }
  }

  private static void require(boolean condition, String message, Object... args) {
    if (!condition) {
      throw new InvalidInputException(String.format(message, args));
    }
  }
}
