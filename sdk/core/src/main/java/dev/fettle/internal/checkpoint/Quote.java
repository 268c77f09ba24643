package dev.fettle.internal.checkpoint;

/** Foreign text in error messages: on one line and of bounded length. */
final class Quote {
  private static final int LONGEST = 200;

  private Quote() {}

  static String line(String text) {
    String flat = String.valueOf(text).replaceAll("\\p{Cntrl}+", " ");
    return flat.length() <= LONGEST ? flat : flat.substring(0, LONGEST) + "...";
  }
}
