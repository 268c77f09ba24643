package dev.fettle.examples;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/** Cards that are dealt out and shuffled again once there is none left. */
final class Deck<T> {
  private final List<T> cards;
  private final Random random;
  private int next;

  Deck(List<T> cards, Random random) {
    this.cards = new ArrayList<>(cards);
    this.random = random;
    this.next = cards.size();
  }

  T next() {
    if (next == cards.size()) {
      Collections.shuffle(cards, random);
      next = 0;
    }
    return cards.get(next++);
  }
}
