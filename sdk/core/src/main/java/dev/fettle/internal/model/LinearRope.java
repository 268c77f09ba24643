package dev.fettle.internal.model;

/** Position interpolation (Chen et al. 2023): all angles divided by the factor. */
public record LinearRope(int dim, double theta, double factor) implements Rope {
  @Override
  public float[] frequencies(int length) {
    float[] frequencies = RopePowers.inverse((float) theta, dim);
    for (int i = 0; i < frequencies.length; i++) {
      frequencies[i] /= (float) factor;
    }
    return frequencies;
  }
}
