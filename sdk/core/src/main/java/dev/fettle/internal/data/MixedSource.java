package dev.fettle.internal.data;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** Draws from several sources by weight; ends when one that is drawn has nothing left. */
record MixedSource(long seed, List<Source> sources, double[] weights) implements Source {
  @Override
  public Cursor open(long pass) {
    SplitMix random = new SplitMix("mix", seed, pass);
    List<Cursor> inner = new ArrayList<>();
    sources.forEach(source -> inner.add(source.open(pass)));
    return new Cursor() {
      private boolean ended;

      @Override
      public Item next() {
        Item item = ended ? null : inner.get(draw(random.fraction())).next();
        if (item == null) {
          close();
        }
        return item;
      }

      @Override
      public void close() {
        ended = true;
        inner.forEach(Cursor::close);
      }
    };
  }

  private int draw(double fraction) {
    double total = 0;
    for (double weight : weights) {
      total += weight;
    }
    double place = fraction * total;
    int chosen = 0;
    while (chosen < weights.length - 1 && place >= weights[chosen]) {
      place -= weights[chosen];
      chosen++;
    }
    return chosen;
  }

  @Override
  public String fingerprint() {
    StringBuilder text = new StringBuilder("mix(").append(seed);
    for (int i = 0; i < weights.length; i++) {
      text.append(' ').append(Double.toHexString(weights[i])).append(' ').append(sources.get(i).fingerprint());
    }
    return text.append(')').toString();
  }

  @Override
  public String toString() {
    return sources.stream().map(Source::toString).collect(Collectors.joining(" | ", "mix of (", ")")) + " by " + seed;
  }
}
