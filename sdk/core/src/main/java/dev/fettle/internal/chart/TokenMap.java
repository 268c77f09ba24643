package dev.fettle.internal.chart;

import java.awt.Color;
import java.awt.Font;
import java.awt.geom.RoundRectangle2D;
import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** A text in which each token's ground says how much it surprised. */
public final class TokenMap {
  private static final Font FONT = new Font(Font.MONOSPACED, Font.PLAIN, 16);
  private static final Font LOSS = new Font(Font.SANS_SERIF, Font.PLAIN, 10);
  private static final int LINE = 44;
  private static final int TOP = 84;
  /** Nats at which a colour is full: a chance of 1 in 22,000. The same for all texts, so that pictures can be compared. */
  private static final double FULL = 10;

  private record Box(String text, double loss, int x, int y, int width) {}

  private TokenMap() {}

  /**
   * Draws.
   *
   * @param tokens the text's pieces in order
   * @param losses the loss of each in nats; NaN where there is none
   */
  public static BufferedImage draw(Theme theme, String title, List<String> tokens, float[] losses) {
    List<Box> boxes = boxes(tokens, losses);
    int bottom = boxes.isEmpty() ? TOP : boxes.get(boxes.size() - 1).y + LINE;
    try (Canvas canvas = new Canvas(title, Canvas.WIDTH, bottom + 16, theme)) {
      canvas.left(Canvas.fitting(Canvas.TITLE, title, Canvas.WIDTH - 2 * Canvas.EDGE), Canvas.TITLE, theme.ink(), Canvas.EDGE, 32);
      canvas.left("loss of each token; mean " + String.format(Locale.ROOT, "%.2f", mean(losses)) + " nats", Canvas.SMALL,
          theme.faint(), Canvas.EDGE, 58);
      canvas.ramp(theme, "0", "10 nats or more", Canvas.WIDTH - Canvas.EDGE, 58);
      for (Box box : boxes) {
        Color ground = Double.isNaN(box.loss) ? theme.ground() : theme.ramp(box.loss / FULL);
        canvas.fill(ground, new RoundRectangle2D.Double(box.x + 0.5, box.y, box.width - 1, 23, 5, 5));
        double middle = box.x + box.width / 2.0;
        canvas.centred(box.text, FONT, Double.isNaN(box.loss) ? theme.faint() : Theme.on(ground), middle, box.y + 17);
        canvas.centred(number(box.loss), LOSS, theme.faint(), middle, box.y + 35);
      }
      return canvas.image();
    }
  }

  private static String number(double loss) {
    return Double.isNaN(loss) ? "" : String.format(Locale.ROOT, "%.1f", Math.max(0, loss));
  }

  private static double mean(float[] losses) {
    double sum = 0;
    int n = 0;
    for (float loss : losses) {
      if (!Float.isNaN(loss)) {
        sum += loss;
        n++;
      }
    }
    return sum / n;
  }

  private static List<Box> boxes(List<String> tokens, float[] losses) {
    List<Box> boxes = new ArrayList<>();
    int x = Canvas.EDGE;
    int y = TOP;
    for (int i = 0; i < tokens.size(); i++) {
      boolean broken = tokens.get(i).contains("\n");
      String text = tokens.get(i).replace("\n", "\u21b5").replaceAll("\\p{Cntrl}", "\u00b7");
      String shown = Canvas.fitting(FONT, text.isEmpty() ? "\u00b7" : text, Canvas.WIDTH - 2 * Canvas.EDGE);
      int width = Math.max(Canvas.width(FONT, shown), Canvas.width(LOSS, number(losses[i])) + 4);
      if (x > Canvas.EDGE && x + width > Canvas.WIDTH - Canvas.EDGE) {
        x = Canvas.EDGE;
        y += LINE;
      }
      boxes.add(new Box(shown, losses[i], x, y, width));
      x += width;
      if (broken) {
        x = Canvas.EDGE;
        y += LINE;
      }
    }
    return boxes;
  }
}
