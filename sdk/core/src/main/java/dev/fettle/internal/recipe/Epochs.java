package dev.fettle.internal.recipe;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Random;

/** A list in batches, several times, each time in another order; the last batch of an epoch may be smaller. */
public final class Epochs<T> implements Iterable<List<T>> {
  private final List<T> all;
  private final int epochs;
  private final int batchSize;
  private final long seed;

  public Epochs(List<T> all, int epochs, int batchSize, long seed) {
    this.all = all;
    this.epochs = epochs;
    this.batchSize = batchSize;
    this.seed = seed;
  }

  /** How many batches there are. */
  public int count() {
    return (all.size() + batchSize - 1) / batchSize * epochs;
  }

  @Override
  public Iterator<List<T>> iterator() {
    Random random = new Random(seed);
    return new Iterator<>() {
      private List<T> order = List.of();
      private int at;
      private int left = count();

      @Override
      public boolean hasNext() {
        return left > 0;
      }

      @Override
      public List<T> next() {
        if (left == 0) {
          throw new NoSuchElementException();
        }
        left--;
        if (at >= order.size()) {
          order = new ArrayList<>(all);
          Collections.shuffle(order, random);
          at = 0;
        }
        List<T> batch = order.subList(at, Math.min(order.size(), at + batchSize));
        at += batchSize;
        return batch;
      }
    };
  }
}
