package dev.fettle.internal.checkpoint;

/** Foreign text in error messages: on one line and of bounded length. */
public final class Quote {
  private static final int LONGEST = 200;

  private Quote() {}

  /** The text as messages have it. */
  public static String line(String text) {
    String flat = String.valueOf(text).replaceAll("\\p{Cntrl}+", " ");
    return flat.length() <= LONGEST ? flat : flat.substring(0, LONGEST) + "...";
  }
}
