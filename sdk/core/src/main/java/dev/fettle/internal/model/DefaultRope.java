package dev.fettle.internal.model;

/** Angles as trained, without rescaling (Su et al. 2021). */
public record DefaultRope(int dim, double theta) implements Rope {
  @Override
  public float[] frequencies(int length) {
    return RopePowers.inverse((float) theta, dim);
  }
}
