package dev.fettle.internal.chart;

/**
 * A line through noise: at each value the straight line that fits it and its neighbours best, near ones most (local linear
 * regression, Cleveland 1979, with triangular weights). Where values fall evenly it is neither before nor behind them, at
 * both ends too, which no moving average of the values before is.
 */
public final class Smooth {
  /** The neighbours on each side, as a share of all values, and at least. */
  private static final double SHARE = 0.05;
  private static final int LEAST = 2;

  private Smooth() {}

  /** Values at even distances, smoothed; NaN where the value itself is none, which its neighbours pass over. */
  public static double[] of(double[] values) {
    int reach = Math.max(LEAST, (int) Math.round(SHARE * values.length));
    double[] out = new double[values.length];
    for (int i = 0; i < values.length; i++) {
      out[i] = Double.isFinite(values[i]) ? at(values, i, reach) : Double.NaN;
    }
    return out;
  }

  private static double at(double[] values, int i, int reach) {
    double weights = 0;
    double x = 0;
    double xx = 0;
    double y = 0;
    double xy = 0;
    for (int j = Math.max(0, i - reach); j <= Math.min(values.length - 1, i + reach); j++) {
      if (Double.isFinite(values[j])) {
        double far = j - i;
        double weight = 1 - Math.abs(far) / (reach + 1);
        weights += weight;
        x += weight * far;
        xx += weight * far * far;
        y += weight * values[j];
        xy += weight * far * values[j];
      }
    }
    double spread = weights * xx - x * x;
    return spread > 0 ? (y * xx - xy * x) / spread : y / weights;
  }
}
