package dev.fettle.internal.recipe;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/** A list without end: all of it in random order, then all again in another. */
public final class Shuffled<T> {
  private final List<T> all;
  private final Random random;
  private final List<T> left = new ArrayList<>();

  public Shuffled(List<T> all, long seed) {
    this.all = List.copyOf(all);
    this.random = new Random(seed);
  }

  /** The next few. */
  public List<T> next(int count) {
    List<T> next = new ArrayList<>();
    while (next.size() < count) {
      if (left.isEmpty()) {
        left.addAll(all);
        Collections.shuffle(left, random);
      }
      next.add(left.remove(left.size() - 1));
    }
    return next;
  }
}
