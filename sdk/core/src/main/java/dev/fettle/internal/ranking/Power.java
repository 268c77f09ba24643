package dev.fettle.internal.ranking;

/** Which difference a paired test could have shown. */
public final class Power {
  private static final double FAR = 1e3;
  private static final int HALVINGS = 60;

  private Power() {}

  /**
   * The least mean difference that a two-sided paired t-test tells from 0 with this power:
   * {@code (t(1 - alpha / 2) + t(power)) s / sqrt(n)}, with {@code s} the standard deviation of the differences and t of
   * n - 1 degrees of freedom (Bloom, Evaluation Review 1995). NaN of fewer than two.
   *
   * @param alpha how often a difference may be claimed where there is none
   * @param power how often one of that size is to be found
   */
  public static double detectable(double[] differences, double alpha, double power) {
    int n = differences.length;
    if (n < 2) {
      return Double.NaN;
    }
    return (quantile(alpha, n - 1) + quantile(2 * (1 - power), n - 1)) * Math.sqrt(PairedTests.squares(differences) / (n - 1) / n);
  }

  /** The t of a two-sided p. */
  private static double quantile(double twoSided, int degrees) {
    double low = 0;
    double high = FAR;
    for (int i = 0; i < HALVINGS; i++) {
      double middle = (low + high) / 2;
      if (PairedTests.tail(middle, degrees) > twoSided) {
        low = middle;
      } else {
        high = middle;
      }
    }
    return low;
  }
}
