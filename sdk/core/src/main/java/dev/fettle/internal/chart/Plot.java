package dev.fettle.internal.chart;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.geom.Ellipse2D;
import java.awt.geom.Path2D;
import java.awt.geom.Rectangle2D;
import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.List;

/** Lines and points between two axes. */
public final class Plot {
  private static final int HEIGHT = 440;
  private static final int BOTTOM = 62;
  private static final int LEGEND_LINE = 22;
  private static final BasicStroke BROKEN =
      new BasicStroke(2.2f, BasicStroke.CAP_BUTT, BasicStroke.JOIN_ROUND, 10f, new float[] {9f, 9f}, 0f);

  private final Theme theme;
  private final String title;
  private final Axis xAxis;
  private final Axis yAxis;
  private final List<Curve> curves;

  /**
   * What an axis shows.
   *
   * @param label its name and unit
   * @param fromZero whether it begins at zero
   * @param logarithmic whether it shows powers; values that are not positive are left out
   */
  public record Axis(String label, boolean fromZero, boolean logarithmic) {}

  private Plot(Theme theme, String title, Axis xAxis, Axis yAxis, List<Curve> curves) {
    this.theme = theme;
    this.title = title;
    this.xAxis = xAxis;
    this.yAxis = yAxis;
    this.curves = curves;
  }

  /** Draws at a notebook's width. */
  public static BufferedImage draw(Theme theme, String title, Axis x, Axis y, List<Curve> curves) {
    return new Plot(theme, title, x, y, curves).draw();
  }

  /** Joins pictures one below the other. */
  public static BufferedImage stack(Theme theme, List<BufferedImage> pictures) {
    int height = pictures.stream().mapToInt(BufferedImage::getHeight).sum();
    int width = pictures.stream().mapToInt(BufferedImage::getWidth).max().orElseThrow();
    try (Canvas canvas = new Canvas(pictures.size() + " pictures", width, height, theme)) {
      int y = 0;
      for (BufferedImage picture : pictures) {
        canvas.image().createGraphics().drawImage(picture, 0, y, null);
        y += picture.getHeight();
      }
      return canvas.image();
    }
  }

  private BufferedImage draw() {
    List<List<Curve>> legend = legend();
    int top = 74 + (legend.size() == 1 && legend.get(0).size() < 2 && sameName(legend) ? 0 : legend.size() * LEGEND_LINE);
    boolean named = top > 74;
    Scale y = Scale.of(values(false), yAxis, 5);
    Scale x = Scale.of(values(true), xAxis, 8);
    int left = Canvas.EDGE + y.ticks().stream().mapToInt(t -> Canvas.width(Canvas.SMALL, y.text(t))).max().orElse(0) + 10;
    Rectangle2D area = new Rectangle2D.Double(left, top, Canvas.WIDTH - left - Canvas.EDGE - 6, HEIGHT - top - BOTTOM);
    try (Canvas canvas = new Canvas(title, Canvas.WIDTH, HEIGHT, theme)) {
      canvas.left(Canvas.fitting(Canvas.TITLE, title, Canvas.WIDTH - 2 * Canvas.EDGE), Canvas.TITLE, theme.ink(), Canvas.EDGE, 32);
      if (named) {
        names(canvas, legend);
      }
      canvas.left(yAxis.label(), Canvas.SMALL, theme.faint(), Canvas.EDGE, top - 12);
      axes(canvas, area, x, y);
      canvas.clip(new Rectangle2D.Double(area.getX() - 6, area.getY() - 6, area.getWidth() + 12, area.getHeight() + 12));
      for (int i = 0; i < curves.size(); i++) {
        curve(canvas, area, x, y, curves.get(i), hides(i));
      }
      return canvas.image();
    }
  }

  private boolean sameName(List<List<Curve>> legend) {
    String name = legend.get(0).isEmpty() ? "" : legend.get(0).get(0).name();
    return name.isEmpty() || name.equals(yAxis.label());
  }

  private double[] values(boolean horizontal) {
    List<Double> all = new ArrayList<>();
    for (Curve curve : curves) {
      double[] values = horizontal ? curve.x() : curve.y();
      for (int i = 0; i < values.length; i++) {
        all.add(values[i]);
        if (!horizontal) {
          all.add(values[i] + curve.error(i));
          all.add(values[i] - curve.error(i));
        }
      }
    }
    return all.stream().mapToDouble(Double::doubleValue).toArray();
  }

  private void axes(Canvas canvas, Rectangle2D area, Scale x, Scale y) {
    for (double tick : y.ticks()) {
      double at = area.getMaxY() - y.at(tick) * area.getHeight();
      canvas.line(theme.grid(), 1, area.getX(), at, area.getMaxX(), at);
      canvas.right(y.text(tick), Canvas.SMALL, theme.ink(), area.getX() - 10, at + 5);
    }
    double free = Double.NEGATIVE_INFINITY;
    for (double tick : x.ticks()) {
      double at = area.getX() + x.at(tick) * area.getWidth();
      if (at < area.getX() - 1 || at > area.getMaxX() + 1) {
        continue;
      }
      canvas.line(theme.grid(), 1, at, area.getY(), at, area.getMaxY() + 5);
      double half = Canvas.width(Canvas.SMALL, x.text(tick)) / 2.0;
      if (at - half > free) {
        canvas.centred(x.text(tick), Canvas.SMALL, theme.ink(), Math.min(at, Canvas.WIDTH - 4 - half), area.getMaxY() + 22);
        free = at + half + 6;
      }
    }
    canvas.line(theme.faint(), 1, area.getX(), area.getMaxY(), area.getMaxX(), area.getMaxY());
    canvas.centred(xAxis.label(), Canvas.SMALL, theme.faint(), area.getCenterX(), area.getMaxY() + 46);
  }

  /** Whether a curve lies on an earlier one, which would not be seen if it were not broken. */
  private boolean hides(int index) {
    return curves.get(index).style() != Curve.Style.FAINT && curves.subList(0, index).stream()
        .anyMatch(earlier -> earlier.style() != Curve.Style.FAINT && curves.get(index).isLike(earlier));
  }

  private void curve(Canvas canvas, Rectangle2D area, Scale x, Scale y, Curve curve, boolean broken) {
    Color colour = theme.series(curve.colour());
    Color pale = pale(curve);
    Path2D path = new Path2D.Double();
    boolean begun = false;
    List<Ellipse2D> dots = new ArrayList<>();
    double radius = curve.style() == Curve.Style.POINTS ? 5 : 4;
    for (int i = 0; i < curve.x().length; i++) {
      double vx = curve.x()[i];
      double vy = curve.y()[i];
      if (!x.has(vx) || !y.has(vy)) {
        begun = false;
        continue;
      }
      double px = area.getX() + x.at(vx) * area.getWidth();
      double py = area.getMaxY() - y.at(vy) * area.getHeight();
      if (begun) {
        path.lineTo(px, py);
      } else {
        path.moveTo(px, py);
      }
      begun = true;
      dots.add(new Ellipse2D.Double(px - radius, py - radius, 2 * radius, 2 * radius));
      if (curve.error(i) > 0) {
        double upper = area.getMaxY() - y.at(vy + curve.error(i)) * area.getHeight();
        double lower = y.has(vy - curve.error(i)) ? area.getMaxY() - y.at(vy - curve.error(i)) * area.getHeight()
            : area.getMaxY();
        canvas.line(colour, 1.5, px, upper, px, lower);
        canvas.line(colour, 1.5, px - 5, upper, px + 5, upper);
        canvas.line(colour, 1.5, px - 5, lower, px + 5, lower);
      }
    }
    if (curve.style() == Curve.Style.FAINT) {
      canvas.stroke(pale, new BasicStroke(1.3f, BasicStroke.CAP_ROUND, BasicStroke.JOIN_ROUND), path);
    } else if (curve.style() != Curve.Style.POINTS) {
      canvas.stroke(colour, broken ? BROKEN : new BasicStroke(2.2f, BasicStroke.CAP_ROUND, BasicStroke.JOIN_ROUND), path);
    }
    boolean lone = dots.size() == 1;
    if (curve.style() == Curve.Style.DOTTED || curve.style() == Curve.Style.POINTS || lone) {
      dots.forEach(dot -> canvas.fill(colour, dot));
    }
  }

  /** A colour that stands back behind its own, and is seen on either ground. */
  private Color pale(Curve curve) {
    return Theme.mix(theme.ground(), theme.series(curve.colour()), 0.6);
  }

  /** The named curves, in as many lines as they take. */
  private List<List<Curve>> legend() {
    List<List<Curve>> lines = new ArrayList<>(List.of(new ArrayList<>()));
    int used = 0;
    for (Curve curve : curves) {
      if (curve.style() != Curve.Style.FAINT || !curve.name().isEmpty()) {
        int room = entry(curve);
        if (used > 0 && used + room > Canvas.WIDTH - 2 * Canvas.EDGE) {
          lines.add(new ArrayList<>());
          used = 0;
        }
        lines.get(lines.size() - 1).add(curve);
        used += room;
      }
    }
    return lines;
  }

  private static int entry(Curve curve) {
    return 34 + Canvas.width(Canvas.TEXT, curve.name()) + 22;
  }

  private void names(Canvas canvas, List<List<Curve>> lines) {
    double y = 58;
    for (List<Curve> line : lines) {
      double x = Canvas.EDGE;
      for (Curve curve : line) {
        boolean faint = curve.style() == Curve.Style.FAINT;
        Color colour = faint ? pale(curve) : theme.series(curve.colour());
        if (curve.style() != Curve.Style.POINTS) {
          canvas.line(colour, faint ? 1.5 : 3, x, y - 5, x + 26, y - 5);
        }
        if (curve.style() == Curve.Style.DOTTED || curve.style() == Curve.Style.POINTS) {
          canvas.fill(colour, new Ellipse2D.Double(x + 8, y - 10, 10, 10));
        }
        canvas.left(curve.name(), Canvas.TEXT, theme.ink(), x + 34, y);
        x += entry(curve);
      }
      y += LEGEND_LINE;
    }
  }
}
