package dev.fettle.internal.ranking;

import dev.fettle.ranking.Interval;
import java.util.Arrays;
import java.util.SplittableRandom;

/** Percentile bootstrap of a mean: queries are drawn with replacement. */
public final class Bootstrap {
  private static final double TAIL = 0.025;

  private Bootstrap() {}

  /** The 95 % interval of the mean. */
  public static Interval interval(double[] values, int resamples, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    double[] means = new double[resamples];
    for (int i = 0; i < resamples; i++) {
      double sum = 0;
      for (int j = 0; j < values.length; j++) {
        sum += values[random.nextInt(values.length)];
      }
      means[i] = sum / values.length;
    }
    Arrays.sort(means);
    return new Interval(quantile(means, TAIL), quantile(means, 1 - TAIL));
  }

  private static double quantile(double[] sorted, double share) {
    double place = share * (sorted.length - 1);
    int below = (int) place;
    int above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
  }
}
