package dev.fettle.internal.chart;

import java.awt.Color;
import java.awt.geom.Rectangle2D;
import java.awt.image.BufferedImage;
import java.util.List;
import java.util.Locale;

/** A table of numbers as colours, from zero to the largest. */
public final class HeatMap {
  private static final int TOP = 106;

  private HeatMap() {}

  /** Draws; NaN leaves a cell empty. */
  public static BufferedImage draw(Theme theme, String title, String what, List<String> rows, List<String> columns,
      double[][] values) {
    int left = Canvas.EDGE + Math.min(240, rows.stream().mapToInt(n -> Canvas.width(Canvas.SMALL, n)).max().orElse(0)) + 12;
    double cell = (double) (Canvas.WIDTH - left - Canvas.EDGE) / columns.size();
    int row = rows.size() > 40 ? 18 : rows.size() > 16 ? 22 : 30;
    double most = 0;
    for (double[] line : values) {
      for (double v : line) {
        most = Double.isFinite(v) ? Math.max(most, v) : most;
      }
    }
    boolean written = cell >= 46 && row >= 18;
    try (Canvas canvas = new Canvas(title, Canvas.WIDTH, TOP + rows.size() * row + 24, theme)) {
      canvas.left(Canvas.fitting(Canvas.TITLE, title, Canvas.WIDTH - 2 * Canvas.EDGE), Canvas.TITLE, theme.ink(), Canvas.EDGE, 32);
      canvas.left(Canvas.fitting(Canvas.SMALL, what, Canvas.WIDTH - 2 * Canvas.EDGE - Canvas.RAMP - 90), Canvas.SMALL, theme.faint(),
          Canvas.EDGE, 58);
      canvas.ramp(theme, "0", number(most, most), Canvas.WIDTH - Canvas.EDGE, 58);
      double free = 0;
      for (int j = 0; j < columns.size(); j++) {
        String name = Canvas.fitting(Canvas.SMALL, columns.get(j), (int) Math.max(cell - 4, 24));
        double middle = left + (j + 0.5) * cell;
        double half = Canvas.width(Canvas.SMALL, name) / 2.0;
        if (middle - half >= free) {
          canvas.centred(name, Canvas.SMALL, theme.ink(), middle, TOP - 10);
          free = middle + half + 4;
        }
      }
      for (int i = 0; i < rows.size(); i++) {
        double y = TOP + i * row;
        canvas.right(Canvas.fitting(Canvas.SMALL, rows.get(i), left - Canvas.EDGE - 12), Canvas.SMALL, theme.ink(), left - 12,
            y + row / 2.0 + 5);
        for (int j = 0; j < columns.size(); j++) {
          double v = values[i][j];
          Rectangle2D box = new Rectangle2D.Double(left + j * cell + 1, y + 1, cell - 2, row - 2);
          Color colour = Double.isFinite(v) ? theme.ramp(most == 0 ? 0 : v / most) : theme.ground();
          canvas.fill(colour, box);
          if (Double.isFinite(v) && written) {
            canvas.centred(number(v, most), Canvas.SMALL, Theme.on(colour), box.getCenterX(), box.getCenterY() + 5);
          }
        }
      }
      return canvas.image();
    }
  }

  /** With as many decimals as let the largest have three digits. */
  private static String number(double value, double most) {
    int decimals = most >= 99.5 ? 0 : most >= 9.95 ? 1 : most >= 0.995 ? 2 : 3;
    return most < 0.0995 || most >= 9_999.5 ? Scale.compact(value) : String.format(Locale.ROOT, "%." + decimals + "f", value);
  }
}
