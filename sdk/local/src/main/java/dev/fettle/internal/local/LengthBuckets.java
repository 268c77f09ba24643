package dev.fettle.internal.local;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/**
 * Which texts go through a network together, and on which lane. Texts of like length stand together, longest first; a
 * portion has about as many tokens as the processor's cache holds intermediate values of, unless one text has more. Where
 * there are more lanes than texts, several lanes may share one.
 *
 * @param lanes for each lane its portions, in turn, as numbers of texts
 * @param cuts for each lane what it has of its only text, or nothing where lanes have whole texts
 */
record LengthBuckets(List<List<List<Integer>>> lanes, List<Cut> cuts) {
  /** Tokens of a portion. */
  static final int TOKENS = Integer.getInteger("fettle.portion", 1024);

  /**
   * A part of a text.
   *
   * @param at the first token of each part, and after them the number of tokens
   */
  record Cut(int text, int number, int... at) {
    private int tokens() {
      return at[number + 1] - at[number];
    }
  }

  /** Texts of which there are fewer than lanes, each cut for as many lanes as it can have. */
  static LengthBuckets cut(List<Integer> some, IntFunction<int[]> cuts) {
    List<Cut> all = some.stream().flatMap(text -> {
      int[] at = cuts.apply(text);
      return IntStream.range(0, at.length - 1).mapToObj(number -> new Cut(text, number, at));
    }).toList();
    return new LengthBuckets(all.stream().map(cut -> List.of(List.of(cut.text))).toList(), all);
  }

  /**
   * Deals texts out one by one, so that all lanes have about as many tokens, and cuts what a lane has into portions.
   *
   * @param most lanes at most; none stays empty
   * @param tokens of a portion
   */
  static LengthBuckets of(List<int[]> texts, int most, int tokens) {
    return of(texts, IntStream.range(0, texts.size()).boxed().toList(), most, tokens);
  }

  /** The same with some of the texts. */
  static LengthBuckets of(List<int[]> texts, List<Integer> some, int most, int tokens) {
    List<Integer> order = some.stream().sorted(Comparator.comparing((Integer i) -> texts.get(i).length).reversed()).toList();
    int n = Math.max(1, Math.min(most, order.size()));
    List<List<Integer>> dealt = new ArrayList<>();
    for (int i = 0; i < n; i++) {
      dealt.add(new ArrayList<>());
    }
    long[] load = new long[n];
    for (Integer text : order) {
      int least = 0;
      for (int lane = 1; lane < n; lane++) {
        least = load[lane] < load[least] ? lane : least;
      }
      dealt.get(least).add(text);
      load[least] += texts.get(text).length;
    }
    return new LengthBuckets(dealt.stream().filter(lane -> !lane.isEmpty()).map(lane -> cut(texts, lane, tokens)).toList(),
        List.of());
  }

  /** As few portions as may be, of about as many tokens each. */
  private static List<List<Integer>> cut(List<int[]> texts, List<Integer> lane, int tokens) {
    long all = lane.stream().mapToLong(i -> texts.get(i).length).sum();
    long portions = Math.max(1, (all + tokens - 1) / tokens);
    long size = (all + portions - 1) / portions;
    List<List<Integer>> out = new ArrayList<>();
    long used = size;
    for (Integer text : lane) {
      int length = texts.get(text).length;
      if (out.isEmpty() || used + length > size) {
        out.add(new ArrayList<>());
        used = 0;
      }
      out.get(out.size() - 1).add(text);
      used += length;
    }
    return out;
  }

  /** The same, counting of a part all tokens before its end: those that attention looks at. */
  long seen(List<int[]> texts) {
    return cuts.isEmpty() ? busiest(texts) : cuts.stream().mapToLong(cut -> cut.at[cut.number + 1]).sum();
  }

  /** The most tokens that go through the network at a time, all lanes together. */
  long busiest(List<int[]> texts) {
    if (!cuts.isEmpty()) {
      return cuts.stream().mapToLong(Cut::tokens).sum();
    }
    return lanes.stream().mapToLong(lane -> lane.stream().mapToLong(portion -> portion.stream()
        .mapToLong(i -> texts.get(i).length).sum()).max().orElse(0)).sum();
  }
}
