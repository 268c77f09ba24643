package dev.fettle.internal.chart;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.Shape;
import java.awt.geom.Line2D;
import java.awt.geom.Rectangle2D;
import java.awt.image.BufferedImage;

/** A picture while it is drawn. */
final class Canvas implements AutoCloseable {
  /** As wide as a notebook's column. */
  static final int WIDTH = 900;
  static final int EDGE = 24;
  static final int RAMP = 200;

  static final Font TITLE = new Font(Font.SANS_SERIF, Font.BOLD, 18);
  static final Font TEXT = new Font(Font.SANS_SERIF, Font.PLAIN, 14);
  static final Font SMALL = new Font(Font.SANS_SERIF, Font.PLAIN, 13);

  private final BufferedImage image;
  private final Graphics2D g;

  Canvas(String title, int width, int height, Theme theme) {
    image = new Picture(title, width, height);
    g = image.createGraphics();
    g.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
    g.setRenderingHint(RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
    g.setRenderingHint(RenderingHints.KEY_FRACTIONALMETRICS, RenderingHints.VALUE_FRACTIONALMETRICS_ON);
    g.setRenderingHint(RenderingHints.KEY_STROKE_CONTROL, RenderingHints.VALUE_STROKE_PURE);
    g.setColor(theme.ground());
    g.fillRect(0, 0, width, height);
  }

  /** How wide a text is, before there is a picture. */
  static int width(Font font, String text) {
    return (int) Math.ceil(font.getStringBounds(text, new java.awt.font.FontRenderContext(null, true, true)).getWidth());
  }

  /** A text that fits, its middle left out if need be. */
  static String fitting(Font font, String text, int room) {
    if (width(font, text) <= room) {
      return text;
    }
    for (int keep = text.length() - 1; keep > 1; keep--) {
      String shorter = text.substring(0, (keep + 1) / 2) + "\u2026" + text.substring(text.length() - keep / 2);
      if (width(font, shorter) <= room) {
        return shorter;
      }
    }
    return "\u2026";
  }

  void left(String text, Font font, Color colour, double x, double y) {
    g.setFont(font);
    g.setColor(colour);
    g.drawString(text, (float) x, (float) y);
  }

  void right(String text, Font font, Color colour, double x, double y) {
    left(text, font, colour, x - width(font, text), y);
  }

  void centred(String text, Font font, Color colour, double x, double y) {
    left(text, font, colour, x - width(font, text) / 2.0, y);
  }

  void line(Color colour, double width, double x1, double y1, double x2, double y2) {
    stroke(colour, new BasicStroke((float) width), new Line2D.Double(x1, y1, x2, y2));
  }

  void stroke(Color colour, BasicStroke stroke, Shape shape) {
    g.setColor(colour);
    g.setStroke(stroke);
    g.draw(shape);
  }

  void fill(Color colour, Shape shape) {
    g.setColor(colour);
    g.fill(shape);
  }

  void clip(Shape shape) {
    g.setClip(shape);
  }

  /** The theme's ramp with a text at both ends, its right end at {@code x}. */
  void ramp(Theme theme, String from, String to, double x, double y) {
    double start = x - RAMP - 8 - width(SMALL, to);
    for (int i = 0; i < RAMP; i++) {
      fill(theme.ramp(i / (RAMP - 1.0)), new Rectangle2D.Double(start + i, y - 11, 1.5, 13));
    }
    right(from, SMALL, theme.ink(), start - 8, y);
    left(to, SMALL, theme.ink(), start + RAMP + 8, y);
  }

  BufferedImage image() {
    return image;
  }

  @Override
  public void close() {
    g.dispose();
  }
}
