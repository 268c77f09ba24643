package dev.fettle.internal.chart;

import java.util.Arrays;

/**
 * Values in order, and how they are drawn. NaN leaves a gap.
 *
 * @param name for the legend
 * @param x where each is
 * @param y what each is
 * @param errors half the length of each error bar; empty for none
 * @param colour which of the theme's colours
 */
public record Curve(String name, double[] x, double[] y, double[] errors, Style style, int colour) {
  /** How a series is drawn. */
  public enum Style {
    /** A line. */
    LINE,
    /** A thin, pale line: what another line smooths. It is in the legend if it has a name. */
    FAINT,
    /** A line with a dot at each value. */
    DOTTED,
    /** Dots, with bars for their errors. */
    POINTS
  }

  /** Under each error bar, and over it. */
  double error(int i) {
    return errors.length == 0 ? 0 : errors[i];
  }

  /** Whether most of its values are where another has them too, within a hundredth of the whole height. */
  boolean isLike(Curve other) {
    double least = Math.min(Arrays.stream(y).min().orElse(0), Arrays.stream(other.y).min().orElse(0));
    double most = Math.max(Arrays.stream(y).max().orElse(0), Arrays.stream(other.y).max().orElse(0));
    int same = 0;
    for (int i = 0; i < Math.min(x.length, other.x.length); i++) {
      same += x[i] == other.x[i] && Math.abs(y[i] - other.y[i]) <= 0.01 * (most - least) ? 1 : 0;
    }
    return 2 * same > x.length;
  }
}
