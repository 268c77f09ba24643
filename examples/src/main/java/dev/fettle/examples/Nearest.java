package dev.fettle.examples;

import java.util.Collection;
import java.util.Comparator;
import java.util.Optional;

/** The word that someone meant. */
final class Nearest {
  private Nearest() {}

  /** The known word that takes the fewest letters to put in, leave out or exchange; none if that is most of them. */
  static Optional<String> of(String word, Collection<String> known) {
    return known.stream().filter(k -> distance(word, k) <= Math.max(1, Math.max(word.length(), k.length()) / 3) || k.startsWith(word))
        .min(Comparator.comparingInt((String k) -> distance(word, k)).thenComparing(Comparator.naturalOrder()));
  }

  private static int distance(String a, String b) {
    int[] before = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      before[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int[] now = new int[b.length() + 1];
      now[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int exchanged = before[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        now[j] = Math.min(exchanged, 1 + Math.min(now[j - 1], before[j]));
      }
      before = now;
    }
    return before[b.length()];
  }
}
