package dev.fettle.internal.chart;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** An axis' numbers: from where to where, straight or logarithmic, and which of them are written. */
final class Scale {
  private final double low;
  private final double high;
  private final boolean log;
  private final List<Double> ticks;
  private final double step;

  private Scale(double low, double high, boolean log, List<Double> ticks, double step) {
    this.low = low;
    this.high = high;
    this.log = log;
    this.ticks = List.copyOf(ticks);
    this.step = step;
  }

  /** Covers values with some {@code ticks}, more or less; a logarithmic one skips what is not positive. */
  static Scale of(double[] values, Plot.Axis axis, int ticks) {
    boolean log = axis.logarithmic();
    double min = Double.POSITIVE_INFINITY;
    double max = Double.NEGATIVE_INFINITY;
    for (double v : values) {
      if (Double.isFinite(v) && !(log && v <= 0)) {
        min = Math.min(min, v);
        max = Math.max(max, v);
      }
    }
    if (axis.fromZero()) {
      min = Math.min(min, 0);
      max = Math.max(max, 0);
    }
    if (min > max) {
      min = log ? 1 : 0;
      max = log ? 10 : 1;
    }
    boolean whole = java.util.Arrays.stream(values).allMatch(v -> v == Math.rint(v));
    return log ? logarithmic(min, max) : straight(min, max, whole && max > min ? Math.min(ticks, max - min) : ticks);
  }

  private static Scale straight(double min, double max, double ticks) {
    if (max - min < 1e-12 * Math.max(1, Math.abs(max))) {
      double room = Math.abs(max) < 1e-9 ? 1 : Math.abs(max) * 0.1;
      return straight(min - room, max + room, ticks);
    }
    double step = roundStep((max - min) / ticks);
    double from = Math.floor(min / step + 1e-9) * step;
    List<Double> all = new ArrayList<>();
    double last = from;
    for (int i = 0; last < max - 1e-9 * step || i == 0; i++) {
      last = from + i * step;
      all.add(last);
    }
    return new Scale(from, last, false, all, step);
  }

  private static Scale logarithmic(double min, double max) {
    double decades = Math.log10(max / min);
    double low = min / Math.pow(10, Math.max(0.06, 0.05 * decades));
    double high = max * Math.pow(10, Math.max(0.06, 0.05 * decades));
    int[] mantissas = decades > 3 ? new int[] {1} : decades > 1 ? new int[] {1, 2, 5} : new int[] {1, 2, 3, 4, 5, 7};
    int every = Math.max(1, (int) Math.ceil(decades / 8));
    List<Double> all = new ArrayList<>();
    int first = (int) Math.floor(Math.log10(low));
    for (int power = first; power <= Math.log10(high); power++) {
      for (int m : mantissas) {
        double v = m * Math.pow(10, power);
        if (v >= low * 0.999 && v <= high * 1.001 && (power - first) % every == 0) {
          all.add(v);
        }
      }
    }
    if (all.size() < 2) {
      Scale straight = straight(low, high, 4);
      straight.ticks.stream().filter(t -> t >= low && t <= high).forEach(all::add);
    }
    return new Scale(low, high, true, all, 0);
  }

  /** The round step at or above a value: 1, 2 or 5 times a power of ten. */
  private static double roundStep(double value) {
    double power = Math.pow(10, Math.floor(Math.log10(value)));
    double mantissa = value / power;
    return power * (mantissa <= 1.0001 ? 1 : mantissa <= 2.0001 ? 2 : mantissa <= 5.0001 ? 5 : 10);
  }

  List<Double> ticks() {
    return ticks;
  }

  /** Whether a value has a place on this axis. */
  boolean has(double value) {
    return Double.isFinite(value) && !(log && value <= 0);
  }

  /** Where a value is, 0 at the low end and 1 at the high. */
  double at(double value) {
    return log ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
  }

  /** A tick as text, with as many digits as tell it from the others. */
  String text(double value) {
    if (!log && largest() < 100_000 && step >= 1e-4) {
      return String.format(Locale.ROOT, "%,." + decimals() + "f", value + 0.0);
    }
    if (ticks.stream().map(Scale::compact).distinct().count() == ticks.size()) {
      return compact(value);
    }
    int digits = (int) Math.ceil(Math.log10(largest() / step));
    return String.format(Locale.ROOT, "%." + Math.min(digits, 6) + "e", value).replaceAll("e([+-])0*(\\d)", "e$1$2").replace("e+", "e");
  }

  private double largest() {
    return Math.max(Math.abs(low), Math.abs(high));
  }

  private int decimals() {
    return Math.max(0, (int) -Math.floor(Math.log10(step) + 1e-9));
  }

  /** At most five characters or so: 0.02, 350, 12k, 1.5M, 5e-4. */
  static String compact(double value) {
    double size = Math.abs(value);
    if (size >= 1e12 || size < 0.00995 && size > 1e-15) {
      String text = String.format(Locale.ROOT, "%.1e", value).replace(".0e", "e");
      return text.replaceAll("e([+-])0*(\\d)", "e$1$2").replace("e+", "e");
    }
    if (size >= 9_999.5) {
      String unit = size >= 1e9 ? "G" : size >= 1e6 ? "M" : "k";
      return plain(value / (size >= 1e9 ? 1e9 : size >= 1e6 ? 1e6 : 1e3)) + unit;
    }
    return plain(value);
  }

  private static String plain(double value) {
    double size = Math.abs(value);
    String text = String.format(Locale.ROOT, size >= 99.95 ? "%.0f" : size >= 9.995 ? "%.1f" : size >= 0.995 ? "%.2f" : "%.3f",
        value + 0.0);
    return text.contains(".") ? text.replaceAll("0+$", "").replaceAll("\\.$", "") : text;
  }
}
