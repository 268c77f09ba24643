package dev.fettle.internal.model;

import java.util.List;

/**
 * LongRoPE (Ding et al. 2024): the angle of each pair is divided by a factor of its own that was searched for, in sequences
 * beyond the original context by another one.
 *
 * @param shortFactors of sequences within the original context
 * @param longFactors of longer ones
 * @param originalContextLength positions that the model was trained on before it was extended
 */
public record LongRope(int dim, double theta, List<Double> shortFactors, List<Double> longFactors, int originalContextLength,
    double attentionFactor) implements Rope {
  public LongRope {
    shortFactors = List.copyOf(shortFactors);
    longFactors = List.copyOf(longFactors);
  }

  /** The paper's attention factor. */
  static double attentionFactor(double factor, int originalContextLength) {
    return factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(originalContextLength));
  }

  @Override
  public float[] frequencies(int length) {
    List<Double> factors = length > originalContextLength ? longFactors : shortFactors;
    float[] powers = RopePowers.of((float) theta, dim);
    for (int i = 0; i < powers.length; i++) {
      powers[i] = 1 / (factors.get(i).floatValue() * powers[i]);
    }
    return powers;
  }

  @Override
  public boolean dependsOnLength() {
    return true;
  }

  @Override
  public int alike(int length) {
    return length > originalContextLength ? originalContextLength + 1 : originalContextLength;
  }
}
