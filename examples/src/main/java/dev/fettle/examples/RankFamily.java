package dev.fettle.examples;

import java.util.ArrayList;
import java.util.List;

/**
 * The comparisons that are tested, fixed before anything runs: Holm's correction is over all of them, also over those that
 * the budget had no room for.
 */
record RankFamily(List<Pair> pairs) {
  /** What the second has more than the first is asked. */
  record Pair(RankSystem first, RankSystem second) {}

  /** Of a small model and, if there is one, a larger. */
  static RankFamily of(List<String> bases) {
    String small = bases.get(0);
    List<RankSystem> tuned = RankStudy.METHODS.stream().map(method -> RankSystem.tuned(small, method)).toList();
    List<Pair> pairs = new ArrayList<>();
    tuned.forEach(t -> pairs.add(new Pair(RankSystem.untuned(small), t)));
    bases.stream().skip(1).forEach(larger -> tuned.forEach(t -> pairs.add(new Pair(RankSystem.untuned(larger), t))));
    for (int i = 0; i < tuned.size(); i++) {
      for (int j = i + 1; j < tuned.size(); j++) {
        pairs.add(new Pair(tuned.get(i), tuned.get(j)));
      }
    }
    bases.forEach(base -> pairs.add(new Pair(RankSystem.WORDS, RankSystem.untuned(base))));
    tuned.forEach(t -> pairs.add(new Pair(RankSystem.WORDS, t)));
    bases.stream().skip(1).forEach(larger -> {
      pairs.add(new Pair(RankSystem.untuned(larger), RankSystem.tuned(larger, "lora")));
      pairs.add(new Pair(RankSystem.WORDS, RankSystem.tuned(larger, "lora")));
    });
    return new RankFamily(List.copyOf(pairs));
  }
}
