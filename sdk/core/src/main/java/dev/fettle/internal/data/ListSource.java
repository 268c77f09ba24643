package dev.fettle.internal.data;

import dev.fettle.Example;
import java.util.List;

/** Examples in memory. */
record ListSource(List<Example> examples) implements Source {
  @Override
  public Cursor open(long pass) {
    return new Cursor() {
      private int given;

      @Override
      public Item next() {
        if (given == examples.size()) {
          return null;
        }
        Example example = examples.get(given);
        given++;
        return new Item(example, "example " + given);
      }

      @Override
      public void close() {
        given = examples.size();
      }
    };
  }

  @Override
  public boolean sameEachPass() {
    return true;
  }

  @Override
  public String fingerprint() {
    long hash = 0;
    for (Example example : examples) {
      hash = SplitMix.mix(hash + ContentHash.of(example));
    }
    return "list(" + examples.size() + " " + Long.toHexString(hash) + ")";
  }

  @Override
  public String toString() {
    return examples.size() == 1 ? "1 example" : examples.size() + " examples";
  }
}
