package dev.fettle.internal.chart;

import java.awt.geom.Rectangle2D;
import java.awt.image.BufferedImage;
import java.util.List;

/** Bars from zero, one below the other, each with its name before it and its value after it. */
public final class Bars {
  private static final int ROW = 34;
  private static final int TOP = 74;

  private Bars() {}

  /** Draws one bar for each name. */
  public static BufferedImage draw(Theme theme, String title, String what, List<String> names, double[] values,
      double[] errors) {
    int left = Canvas.EDGE + Math.min(300, names.stream().mapToInt(n -> Canvas.width(Canvas.TEXT, n)).max().orElse(0)) + 12;
    double low = 0;
    double high = 0;
    for (int i = 0; i < values.length; i++) {
      low = Math.min(low, values[i] - error(errors, i));
      high = Math.max(high, values[i] + error(errors, i));
    }
    double unit = (Canvas.WIDTH - left - Canvas.EDGE - 70) / Math.max(high - low, 1e-300);
    double zero = left - low * unit;
    try (Canvas canvas = new Canvas(title, Canvas.WIDTH, TOP + names.size() * ROW + 20, theme)) {
      canvas.left(Canvas.fitting(Canvas.TITLE, title, Canvas.WIDTH - 2 * Canvas.EDGE), Canvas.TITLE, theme.ink(), Canvas.EDGE, 32);
      canvas.left(what, Canvas.SMALL, theme.faint(), Canvas.EDGE, 56);
      for (int i = 0; i < names.size(); i++) {
        double y = TOP + i * ROW;
        double end = zero + (Double.isFinite(values[i]) ? values[i] : 0) * unit;
        String name = Canvas.fitting(Canvas.TEXT, names.get(i), left - Canvas.EDGE - 12);
        canvas.right(name, Canvas.TEXT, theme.ink(), left - 12, y + 19);
        canvas.fill(theme.series(0), new Rectangle2D.Double(Math.min(zero, end), y + 3, Math.abs(end - zero), ROW - 12));
        double error = error(errors, i) * unit;
        if (error > 0) {
          double middle = y + 3 + (ROW - 12) / 2.0;
          canvas.line(theme.ink(), 1.5, end - error, middle, end + error, middle);
          canvas.line(theme.ink(), 1.5, end - error, middle - 5, end - error, middle + 5);
          canvas.line(theme.ink(), 1.5, end + error, middle - 5, end + error, middle + 5);
        }
        canvas.left(Scale.compact(values[i]), Canvas.TEXT, theme.ink(), Math.max(zero, end + error) + 8, y + 19);
      }
      canvas.line(theme.faint(), 1, zero, TOP - 4, zero, TOP + names.size() * ROW);
      return canvas.image();
    }
  }

  private static double error(double[] errors, int i) {
    return errors.length == 0 || !Double.isFinite(errors[i]) ? 0 : errors[i];
  }
}
