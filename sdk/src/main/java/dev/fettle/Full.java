package dev.fettle;

/**
 * Trains the weights themselves. Each training then has weights of its own: 32-bit ones, and a copy in the compute type
 * where that is bf16. Immutable.
 */
public final class Full implements Tuning {
  private Full() {}

  /** Trains every weight of the model. */
  public static Full all() {
    return new Full();
  }

  @Override
  public String toString() {
    return "Full[all]";
  }
}
