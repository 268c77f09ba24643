package dev.fettle.internal.model;

/**
 * YaRN (Peng et al. 2023): pairs that turn often within the original context are kept, those that turn seldom are divided by the
 * factor, a ramp between; attention is sharpened by a factor on cosines and sines.
 *
 * @param originalContextLength positions that the model was trained on before it was extended
 * @param betaFast turns within the original context from which on pairs are kept
 * @param betaSlow turns up to which pairs are divided in full
 * @param truncate whether the ramp begins and ends at whole pairs
 */
public record YarnRope(int dim, double theta, double factor, int originalContextLength, double betaFast, double betaSlow,
    boolean truncate, double attentionFactor) implements Rope {
  /** The paper's attention factor. */
  static double attentionFactor(double factor) {
    return magnitude(factor, 1);
  }

  /** DeepSeek's (2024): a ratio of two such factors, each with the logarithm weighted. */
  static double attentionFactor(double factor, double scale, double scaleOfAll) {
    return magnitude(factor, scale) / magnitude(factor, scaleOfAll);
  }

  private static double magnitude(double factor, double weight) {
    return factor <= 1 ? 1 : 0.1 * weight * Math.log(factor) + 1;
  }

  @Override
  public float[] frequencies(int length) {
    double low = pairOf(betaFast);
    double high = pairOf(betaSlow);
    low = Math.max(truncate ? Math.floor(low) : low, 0);
    high = Math.min(truncate ? Math.ceil(high) : high, dim - 1);
    float width = (float) ((low == high ? high + 0.001 : high) - low);
    float[] powers = RopePowers.of((float) theta, dim);
    for (int i = 0; i < powers.length; i++) {
      float ramp = Math.min(Math.max((i - (float) low) / width, 0), 1);
      float kept = 1 - ramp;
      powers[i] = 1 / ((float) factor * powers[i]) * (1 - kept) + 1 / powers[i] * kept;
    }
    return powers;
  }

  /** Which pair turns so often within the original context. */
  private double pairOf(double turns) {
    return dim * Math.log(originalContextLength / (turns * 2 * Math.PI)) / (2 * Math.log(theta));
  }

  /** {@code max_position_embeddings} is the original context in some files, and the extended one in others. */
  @Override
  public int contextLength(int positions) {
    return (int) Math.max(positions, Math.min(factor * originalContextLength, Integer.MAX_VALUE));
  }
}
