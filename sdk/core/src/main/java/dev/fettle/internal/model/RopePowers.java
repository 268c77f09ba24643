package dev.fettle.internal.model;

/** The powers of the base that all kinds of {@link Rope} begin with, in 32-bit floats. */
final class RopePowers {
  private RopePowers() {}

  /** theta to the power of 2 i / dim, for each pair i: positions per radian before any change. */
  static float[] of(float theta, int dim) {
    float[] powers = new float[dim / 2];
    for (int i = 0; i < powers.length; i++) {
      powers[i] = (float) Math.pow(theta, 2f * i / dim);
    }
    return powers;
  }

  /** The inverse: radians per position. */
  static float[] inverse(float theta, int dim) {
    float[] frequencies = of(theta, dim);
    for (int i = 0; i < frequencies.length; i++) {
      frequencies[i] = 1f / frequencies[i];
    }
    return frequencies;
  }
}
