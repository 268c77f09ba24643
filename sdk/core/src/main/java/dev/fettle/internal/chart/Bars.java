package dev.fettle.internal.chart;

import java.awt.geom.Rectangle2D;
import java.awt.image.BufferedImage;
import java.util.List;

/** Bars from zero, one below the other, each with its name before it, its value after it, and its interval where it has one. */
public final class Bars {
  private static final int ROW = 34;
  private static final int TOP = 74;

  private Bars() {}

  /**
   * What to draw.
   *
   * @param low the lower end of its interval; NaN where there is none
   * @param high the upper end
   */
  public record Bar(String name, double value, double low, double high) {
    private boolean hasInterval() {
      return Double.isFinite(low) && Double.isFinite(high);
    }
  }

  /** Draws one bar for each name. */
  public static BufferedImage draw(Theme theme, String title, String what, List<Bar> bars) {
    int left = Canvas.EDGE + Math.min(300, bars.stream().mapToInt(b -> Canvas.width(Canvas.TEXT, b.name)).max().orElse(0)) + 12;
    double least = 0;
    double most = 0;
    for (Bar bar : bars) {
      least = Math.min(least, bar.hasInterval() ? Math.min(bar.value, bar.low) : bar.value);
      most = Math.max(most, bar.hasInterval() ? Math.max(bar.value, bar.high) : bar.value);
    }
    double unit = (Canvas.WIDTH - left - Canvas.EDGE - 70) / Math.max(most - least, 1e-300);
    double zero = left - least * unit;
    try (Canvas canvas = new Canvas(title, Canvas.WIDTH, TOP + bars.size() * ROW + 20, theme)) {
      canvas.left(Canvas.fitting(Canvas.TITLE, title, Canvas.WIDTH - 2 * Canvas.EDGE), Canvas.TITLE, theme.ink(), Canvas.EDGE, 32);
      canvas.left(what, Canvas.SMALL, theme.faint(), Canvas.EDGE, 56);
      for (int i = 0; i < bars.size(); i++) {
        Bar bar = bars.get(i);
        double y = TOP + i * ROW;
        double end = zero + (Double.isFinite(bar.value) ? bar.value : 0) * unit;
        String name = Canvas.fitting(Canvas.TEXT, bar.name, left - Canvas.EDGE - 12);
        canvas.right(name, Canvas.TEXT, theme.ink(), left - 12, y + 19);
        canvas.fill(theme.series(0), new Rectangle2D.Double(Math.min(zero, end), y + 3, Math.abs(end - zero), ROW - 12));
        if (bar.hasInterval()) {
          interval(canvas, theme, zero + bar.low * unit, zero + bar.high * unit, y + 3 + (ROW - 12) / 2.0);
        }
        double right = bar.hasInterval() ? Math.max(end, zero + bar.high * unit) : end;
        canvas.left(Scale.compact(bar.value), Canvas.TEXT, theme.ink(), Math.max(zero, right) + 8, y + 19);
      }
      canvas.line(theme.faint(), 1, zero, TOP - 4, zero, TOP + bars.size() * ROW);
      return canvas.image();
    }
  }

  private static void interval(Canvas canvas, Theme theme, double low, double high, double y) {
    canvas.line(theme.ink(), 1.5, low, y, high, y);
    canvas.line(theme.ink(), 1.5, low, y - 5, low, y + 5);
    canvas.line(theme.ink(), 1.5, high, y - 5, high, y + 5);
  }
}
