package dev.fettle.internal;

import java.util.Locale;

/** Bytes in the unit in which all memory is shown. */
public final class Gibibytes {
  private Gibibytes() {}

  /** With two digits after the point, without the unit. */
  public static String of(long bytes) {
    return String.format(Locale.ROOT, "%.2f", bytes / (double) (1 << 30));
  }
}
