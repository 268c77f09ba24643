package dev.fettle.internal.chart;

import java.awt.Color;
import java.util.List;

/** Colours that go together: a ground, what is written and drawn on it, and one for each series. */
public enum Theme {
  LIGHT(0xFFFFFF, 0x1F2328, 0x59636E, 0xE3E6EA,
      List.of(0x0B62C4, 0xD1570A, 0x1B8A5A, 0xB0338F, 0x8A6D00, 0x5B4FC9, 0xC22F3D, 0x3C7A89),
      List.of(0xF7FAFD, 0xBFD9F2, 0x6BAAE0, 0x1F6FBF, 0x08306B)),
  DARK(0x14181D, 0xE6EAEF, 0x9BA7B4, 0x2C333B,
      List.of(0x5AA9F8, 0xFF9D57, 0x52CF97, 0xEE86D1, 0xE3C34B, 0xA79CFF, 0xFF7C86, 0x7CC7D6),
      List.of(0x1B222A, 0x1D4468, 0x2B74B4, 0x6BB2EE, 0xE3F1FF));

  private final Color ground;
  private final Color ink;
  private final Color faint;
  private final Color grid;
  private final List<Integer> series;
  private final List<Integer> ramp;

  Theme(int ground, int ink, int faint, int grid, List<Integer> series, List<Integer> ramp) {
    this.ground = new Color(ground);
    this.ink = new Color(ink);
    this.faint = new Color(faint);
    this.grid = new Color(grid);
    this.series = series;
    this.ramp = ramp;
  }

  Color ground() {
    return ground;
  }

  /** For titles, labels and numbers. */
  Color ink() {
    return ink;
  }

  /** For what explains: units, axis names. */
  Color faint() {
    return faint;
  }

  Color grid() {
    return grid;
  }

  /** The colour of the n-th series; they repeat after eight. */
  Color series(int n) {
    return new Color(series.get(n % series.size()));
  }

  /** From the ground's colour, at 0, to the strongest, at 1. */
  Color ramp(double share) {
    double at = Math.max(0, Math.min(1, share)) * (ramp.size() - 1);
    int i = Math.min((int) at, ramp.size() - 2);
    return mix(new Color(ramp.get(i)), new Color(ramp.get(i + 1)), at - i);
  }

  /** What can be read on a colour. */
  static Color on(Color colour) {
    double light = (0.299 * colour.getRed() + 0.587 * colour.getGreen() + 0.114 * colour.getBlue()) / 255;
    return light > 0.5 ? new Color(0x10151A) : Color.WHITE;
  }

  static Color mix(Color a, Color b, double share) {
    return new Color((int) Math.round(a.getRed() + share * (b.getRed() - a.getRed())),
        (int) Math.round(a.getGreen() + share * (b.getGreen() - a.getGreen())),
        (int) Math.round(a.getBlue() + share * (b.getBlue() - a.getBlue())));
  }
}
