package dev.fettle.internal;

/** What {@code toString} gives: one line of at most 80 characters that is safe in a page. */
public final class OneLine {
  private static final int LENGTH = 80;

  private OneLine() {}

  /** {@code Type[description]}, the middle of the description left out where it is too long. */
  public static String of(String type, String description) {
    int room = LENGTH - type.length() - 2;
    String clean = description.replaceAll("[<>\\p{Cntrl}]", "?");
    int head = room / 2 - 2;
    String fitting = clean.length() <= room ? clean
        : clean.substring(0, head) + "..." + clean.substring(clean.length() - (room - head - 3));
    return type + "[" + fitting + "]";
  }
}
