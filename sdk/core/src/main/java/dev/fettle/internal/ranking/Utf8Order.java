package dev.fettle.internal.ranking;

import java.util.Comparator;

/**
 * The order of C's {@code strcmp} on UTF-8, in which trec_eval sorts identifiers: by code point, where Java's own order
 * would put characters beyond U+FFFF before some others.
 */
public final class Utf8Order {
  /** Ascending. */
  public static final Comparator<String> ASCENDING = Utf8Order::compare;

  private Utf8Order() {}

  private static int compare(String a, String b) {
    int length = Math.min(a.length(), b.length());
    for (int i = 0; i < length; i++) {
      char x = a.charAt(i);
      char y = b.charAt(i);
      if (x != y) {
        return Character.isSurrogate(x) == Character.isSurrogate(y) ? x - y : Character.isSurrogate(x) ? 1 : -1;
      }
    }
    return a.length() - b.length();
  }
}
