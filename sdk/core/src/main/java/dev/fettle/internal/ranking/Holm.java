package dev.fettle.internal.ranking;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/** Holm's correction for several tests (Scandinavian Journal of Statistics 1979). */
public final class Holm {
  private Holm() {}

  /** The corrected p of each test, in their order; one without a p counts as 1. */
  public static double[] corrected(double... p) {
    int[] ascending = IntStream.range(0, p.length).boxed().sorted(Comparator.comparingDouble(i -> p[i]))
        .mapToInt(i -> i).toArray();
    double[] corrected = new double[p.length];
    double most = 0;
    for (int i = 0; i < ascending.length; i++) {
      double own = p[ascending[i]];
      most = Math.min(1, Math.max(most, Double.isNaN(own) ? 1 : own * (p.length - i)));
      corrected[ascending[i]] = most;
    }
    return corrected;
  }

  /** The same of a family that has more tests than were made: the others count as not told from chance. */
  public static double[] corrected(double[] p, int family) {
    double[] all = Arrays.copyOf(p, Math.max(p.length, family));
    Arrays.fill(all, p.length, all.length, 1);
    return Arrays.copyOf(corrected(all), p.length);
  }
}
