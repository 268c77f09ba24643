package dev.fettle.internal.chart;

/** A line through noise. */
public final class Smooth {
  private Smooth() {}

  /**
   * The exponential moving average of values, corrected at the start, that remembers about {@code steps} of them; NaN is
   * passed over.
   */
  public static double[] of(double[] values, double steps) {
    double keep = 1 - 1 / Math.max(1, steps);
    double[] out = new double[values.length];
    double sum = 0;
    double weight = 0;
    for (int i = 0; i < values.length; i++) {
      if (Double.isFinite(values[i])) {
        sum = keep * sum + values[i];
        weight = keep * weight + 1;
      }
      out[i] = sum / weight;
    }
    return out;
  }
}
