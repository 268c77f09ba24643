package dev.fettle.examples;

import dev.fettle.ranking.Ranked;
import dev.fettle.ranking.Triple;
import dev.fettle.ranking.Triples;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/**
 * What an embedding model is tuned on, batch by batch: judged pairs with some of their hard negatives, and beside them
 * pairs of titles and texts, which need no judgement. All texts of a batch are negatives of all its other queries.
 * Immutable.
 *
 * @param judged queries with a relevant text and the negatives to draw from
 * @param titles titles with their texts
 */
record RankBatches(Triples judged, Triples titles) {
  /**
   * How a batch is made up.
   *
   * @param judged judged pairs in it
   * @param negatives hard negatives of each of them
   * @param titles pairs of titles and texts in it
   */
  record Mix(int judged, int negatives, int titles) {}

  /** Batches in random order; both kinds of pairs begin anew in another order once all were seen. */
  List<List<Ranked>> of(Mix mix, int steps, long seed) {
    Random random = new Random(seed);
    Deck queries = new Deck(judged.all(), random);
    Deck others = new Deck(titles.all(), random);
    List<List<Ranked>> batches = new ArrayList<>();
    for (int step = 0; step < steps; step++) {
      List<Ranked> batch = new ArrayList<>();
      for (int i = 0; i < mix.judged; i++) {
        batch.add(ranked(queries.next(), mix.negatives, random));
      }
      for (int i = 0; i < mix.titles; i++) {
        batch.add(ranked(others.next(), 0, random));
      }
      batches.add(batch);
    }
    return batches;
  }

  private static Ranked ranked(Triple triple, int count, Random random) {
    List<String> negatives = new ArrayList<>(triple.negatives());
    Collections.shuffle(negatives, random);
    return Ranked.pair(triple.query(), triple.positive(),
        negatives.subList(0, Math.min(count, negatives.size())).toArray(String[]::new));
  }

  /** Cards that are dealt out and shuffled again once there is none left. */
  private static final class Deck {
    private final List<Triple> cards;
    private final Random random;
    private int next;

    Deck(List<Triple> cards, Random random) {
      this.cards = new ArrayList<>(cards);
      this.random = random;
      this.next = cards.size();
    }

    Triple next() {
      if (next == cards.size()) {
        Collections.shuffle(cards, random);
        next = 0;
      }
      return cards.get(next++);
    }
  }
}
