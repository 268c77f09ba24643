package dev.fettle.internal.data;

import java.util.ArrayList;
import java.util.List;

/**
 * A shuffle in bounded memory: the next example is a random one of the buffer, whose place the next one read takes.
 * When nothing is left to read this is Fisher and Yates' shuffle of the buffer.
 */
record ShuffledSource(Source source, long seed, int size) implements Source {
  @Override
  public Cursor open(long pass) {
    Cursor inner = source.open(pass);
    SplitMix random = new SplitMix("shuffle", seed, pass);
    return new Cursor() {
      private final List<Item> buffer = new ArrayList<>();
      private boolean ended;

      @Override
      public Item next() {
        while (!ended && buffer.size() < size) {
          Item item = inner.next();
          ended = item == null;
          if (item != null) {
            buffer.add(item);
          }
        }
        if (buffer.isEmpty()) {
          return null;
        }
        int chosen = random.below(buffer.size());
        Item last = buffer.remove(buffer.size() - 1);
        return chosen == buffer.size() ? last : buffer.set(chosen, last);
      }

      @Override
      public void close() {
        ended = true;
        buffer.clear();
        inner.close();
      }
    };
  }

  @Override
  public boolean sameEachPass() {
    return source.sameEachPass();
  }

  @Override
  public Source once() {
    return source.once();
  }

  @Override
  public long copies() {
    return source.copies();
  }

  @Override
  public String fingerprint() {
    return "shuffle(" + seed + " " + size + " " + source.fingerprint() + ")";
  }

  @Override
  public String toString() {
    return source + ", shuffled by " + seed;
  }
}
