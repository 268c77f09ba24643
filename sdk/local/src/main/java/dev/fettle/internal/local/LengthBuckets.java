package dev.fettle.internal.local;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * Which texts go through a network together, and on which lane. Texts of like length stand together, longest first; a
 * portion has about as many tokens as the processor's cache holds intermediate values of, unless one text has more.
 *
 * @param lanes for each lane its portions, in turn, as numbers of texts
 */
record LengthBuckets(List<List<List<Integer>>> lanes) {
  /** Tokens of a portion. */
  static final int TOKENS = Integer.getInteger("fettle.portion", 1024);

  /**
   * Deals texts out so that all lanes have about as many tokens.
   *
   * @param most lanes at most
   * @param tokens of a portion
   */
  static LengthBuckets of(List<int[]> texts, int most, int tokens) {
    Integer[] order = new Integer[texts.size()];
    Arrays.setAll(order, i -> i);
    Arrays.sort(order, Comparator.comparing((Integer i) -> texts.get(i).length).reversed());
    int n = Math.max(1, Math.min(most, order.length));
    long all = texts.stream().mapToLong(t -> t.length).sum();
    long rounds = Math.max(1, (all + (long) n * tokens - 1) / ((long) n * tokens));
    long size = (all + n * rounds - 1) / (n * rounds);
    List<List<List<Integer>>> lanes = new ArrayList<>();
    for (int i = 0; i < n; i++) {
      lanes.add(new ArrayList<>());
    }
    long[] load = new long[n];
    for (int i = 0; i < order.length; ) {
      List<Integer> portion = new ArrayList<>();
      long used = 0;
      while (i < order.length && (portion.isEmpty() || used + texts.get(order[i]).length <= size)) {
        portion.add(order[i]);
        used += texts.get(order[i++]).length;
      }
      int least = 0;
      for (int lane = 1; lane < n; lane++) {
        least = load[lane] < load[least] ? lane : least;
      }
      lanes.get(least).add(portion);
      load[least] += used;
    }
    lanes.removeIf(List::isEmpty);
    return new LengthBuckets(lanes);
  }
}
