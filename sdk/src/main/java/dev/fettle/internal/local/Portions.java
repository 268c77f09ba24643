package dev.fettle.internal.local;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * Which texts go through an encoder together, and on which lane. Texts of like length stand together, longest first; a
 * portion has a bounded number of tokens unless one text alone has more.
 *
 * @param lanes for each lane its portions, in turn, as numbers of texts
 */
record Portions(List<List<List<Integer>>> lanes) {
  /**
   * Deals texts out.
   *
   * @param tokens that all lanes have at a time, together
   */
  static Portions of(List<int[]> texts, int most, int tokens) {
    Integer[] order = new Integer[texts.size()];
    Arrays.setAll(order, i -> i);
    Arrays.sort(order, Comparator.comparing((Integer i) -> texts.get(i).length).reversed());
    int n = Math.max(1, Math.min(most, order.length));
    List<List<List<Integer>>> lanes = new ArrayList<>();
    for (int i = 0; i < n; i++) {
      lanes.add(new ArrayList<>());
    }
    if (texts.stream().mapToLong(t -> t.length).sum() <= tokens) {
      deal(texts, order, lanes);
    } else {
      cut(texts, order, lanes, Math.max(1, tokens / n));
    }
    return new Portions(lanes);
  }

  /** Whether all texts go through at once. */
  boolean whole() {
    return lanes.stream().allMatch(l -> l.size() <= 1);
  }

  private static void deal(List<int[]> texts, Integer[] order, List<List<List<Integer>>> lanes) {
    long[] load = new long[lanes.size()];
    for (int text : order) {
      int least = 0;
      for (int i = 1; i < load.length; i++) {
        least = load[i] < load[least] ? i : least;
      }
      if (lanes.get(least).isEmpty()) {
        lanes.get(least).add(new ArrayList<>());
      }
      lanes.get(least).get(0).add(text);
      load[least] += texts.get(text).length;
    }
  }

  private static void cut(List<int[]> texts, Integer[] order, List<List<List<Integer>>> lanes, int tokens) {
    List<Integer> portion = null;
    int number = 0;
    long used = 0;
    for (int text : order) {
      int length = texts.get(text).length;
      if (portion == null || used + length > tokens) {
        portion = new ArrayList<>();
        lanes.get(number++ % lanes.size()).add(portion);
        used = 0;
      }
      portion.add(text);
      used += length;
    }
  }
}
