package dev.fettle.internal.chart;

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
}
