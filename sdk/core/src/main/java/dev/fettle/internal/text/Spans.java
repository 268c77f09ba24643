package dev.fettle.internal.text;

import java.util.Arrays;

/**
 * Tokens of a text, and where in it each begins.
 *
 * @param starts one for each token, in Java's characters
 */
record Spans(int[] ids, int[] starts) {
  /** These tokens, and those of the text that goes on at {@code at}. */
  Spans plus(Spans other, int at) {
    int[] allIds = Arrays.copyOf(ids, ids.length + other.ids.length);
    int[] allStarts = Arrays.copyOf(starts, allIds.length);
    for (int i = 0; i < other.ids.length; i++) {
      allIds[ids.length + i] = other.ids[i];
      allStarts[ids.length + i] = at + other.starts[i];
    }
    return new Spans(allIds, allStarts);
  }
}
