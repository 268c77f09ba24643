package dev.fettle.internal.chart;

import dev.fettle.Charts.Series;

/**
 * A series and how it is drawn.
 *
 * @param colour which of the theme's colours
 */
public record Curve(Series series, Style style, int colour) {
  /** How a series is drawn. */
  public enum Style {
    /** A line. */
    LINE,
    /** A thin, pale line: what another line smooths. It has no place in the legend of its own. */
    FAINT,
    /** A line with a dot at each value. */
    DOTTED,
    /** Dots, with bars for their errors. */
    POINTS
  }

  /** Under each error bar, and over it. */
  double error(int i) {
    return series.error().length == 0 ? 0 : series.error()[i];
  }
}
