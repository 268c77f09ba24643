package dev.fettle.internal.model;

/**
 * Dynamic NTK-aware scaling (bloc97 and emozilla 2023, see Peng et al. 2023): in sequences beyond the model's context the base
 * grows with the length, so that short wavelengths are kept and long ones stretched.
 *
 * @param originalContextLength positions that the model was trained on
 */
public record DynamicRope(int dim, double theta, double factor, int originalContextLength) implements Rope {
  @Override
  public float[] frequencies(int length) {
    if (length <= originalContextLength) {
      return RopePowers.inverse((float) theta, dim);
    }
    float stretch = (float) factor * length / originalContextLength - (float) (factor - 1);
    float power = (float) Math.pow(stretch, (float) (dim / (dim - 2.0)));
    return RopePowers.inverse((float) theta * power, dim);
  }

  @Override
  public boolean dependsOnLength() {
    return true;
  }

  @Override
  public int alike(int length) {
    return Math.max(length, originalContextLength);
  }

  @Override
  public int contextLength(int positions) {
    return (int) Math.max(positions, Math.min(factor * positions, Integer.MAX_VALUE));
  }
}
