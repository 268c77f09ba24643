package dev.fettle.examples;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.geom.Ellipse2D;
import java.awt.geom.Line2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import javax.imageio.ImageIO;

/** Lines over one axis with evenly spaced marks, each in a panel of its own with a scale from zero. */
final class LinePlot {
  private static final int WIDTH = 520;
  private static final int HEIGHT = 420;
  private static final int LEFT = 80;
  private static final int RIGHT = 24;
  private static final int TOP = 84;
  private static final int BOTTOM = 70;
  private static final Color GRID = new Color(0xDDDDDD);
  private static final Color INK = new Color(0x222222);
  private static final Color LINE = new Color(0x1F5FA8);

  private final String title;
  private final String axis;
  private final List<String> marks;
  private final List<Panel> panels = new ArrayList<>();

  private record Panel(String name, double... values) {}

  LinePlot(String title, String axis, List<String> marks) {
    this.title = title;
    this.axis = axis;
    this.marks = List.copyOf(marks);
  }

  /** One value for each mark. */
  LinePlot panel(String name, double... values) {
    panels.add(new Panel(name, values.clone()));
    return this;
  }

  void write(Path file) throws IOException {
    ImageIO.write(draw(), "png", file.toFile());
  }

  BufferedImage draw() {
    BufferedImage image = new BufferedImage(WIDTH * panels.size(), HEIGHT, BufferedImage.TYPE_INT_RGB);
    Graphics2D g = image.createGraphics();
    g.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
    g.setRenderingHint(RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
    g.setColor(Color.WHITE);
    g.fillRect(0, 0, image.getWidth(), HEIGHT);
    g.setColor(INK);
    g.setFont(new Font(Font.SANS_SERIF, Font.BOLD, 18));
    g.drawString(title, LEFT, 30);
    for (int i = 0; i < panels.size(); i++) {
      draw(g, panels.get(i), i * WIDTH);
    }
    g.dispose();
    return image;
  }

  private void draw(Graphics2D g, Panel panel, int x0) {
    double highest = 0;
    for (double value : panel.values) {
      highest = Math.max(highest, value);
    }
    double step = step(highest / 5);
    int count = Math.max(1, (int) Math.ceil(highest / step));
    double top = count * step;
    int right = x0 + WIDTH - RIGHT;
    g.setFont(new Font(Font.SANS_SERIF, Font.BOLD, 14));
    g.setColor(INK);
    g.drawString(panel.name, x0 + LEFT, TOP - 22);
    g.setFont(new Font(Font.SANS_SERIF, Font.PLAIN, 13));
    for (int i = 0; i <= count; i++) {
      double y = y(i * step, top);
      g.setColor(GRID);
      g.draw(new Line2D.Double(x0 + LEFT, y, right, y));
      g.setColor(INK);
      String text = text(i * step, step);
      g.drawString(text, x0 + LEFT - 8 - g.getFontMetrics().stringWidth(text), (float) y + 5);
    }
    for (int i = 0; i < marks.size(); i++) {
      centred(g, marks.get(i), x(i, x0), HEIGHT - BOTTOM + 20);
    }
    centred(g, axis, x0 + (LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 22);
    g.setColor(LINE);
    g.setStroke(new BasicStroke(2.5f));
    for (int i = 0; i < panel.values.length; i++) {
      double x = x(i, x0);
      double y = y(panel.values[i], top);
      if (i > 0) {
        g.draw(new Line2D.Double(x(i - 1, x0), y(panel.values[i - 1], top), x, y));
      }
      g.fill(new Ellipse2D.Double(x - 4, y - 4, 8, 8));
    }
    g.setStroke(new BasicStroke(1));
  }

  private double x(int index, int x0) {
    double room = WIDTH - LEFT - RIGHT;
    return x0 + LEFT + room * (index + 0.5) / marks.size();
  }

  private static double y(double value, double top) {
    return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * value / top;
  }

  private static void centred(Graphics2D g, String text, double x, int y) {
    g.drawString(text, (float) (x - g.getFontMetrics().stringWidth(text) / 2.0), y);
  }

  /** The round step at or above a value: 1, 2 or 5 times a power of ten. */
  private static double step(double value) {
    if (!(value > 0)) {
      return 1;
    }
    double power = Math.pow(10, Math.floor(Math.log10(value)));
    double mantissa = value / power;
    return power * (mantissa <= 1 ? 1 : mantissa <= 2 ? 2 : mantissa <= 5 ? 5 : 10);
  }

  private static String text(double value, double step) {
    int decimals = Math.max(0, (int) -Math.floor(Math.log10(step)));
    return String.format(Locale.ROOT, "%,." + decimals + "f", value);
  }
}
