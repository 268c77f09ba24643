package dev.fettle.ranking;

import dev.fettle.internal.OneLine;
import java.util.Locale;
import java.util.Objects;

/**
 * What a second run has more than a first one, over the same queries.
 *
 * @param metric the name of the metric
 * @param first the name of the first run
 * @param second the name of the second run
 * @param queries how many queries there are
 * @param mean the mean of second less first
 * @param interval the 95 % paired bootstrap interval of the mean
 * @param randomisationP the two-sided p of the paired randomisation test
 * @param studentP the two-sided p of the paired t-test; NaN if all differences are equal and not 0
 */
public record Difference(String metric, String first, String second, int queries, double mean, Interval interval,
    double randomisationP, double studentP) {
  public Difference {
    Objects.requireNonNull(metric, "metric");
    Objects.requireNonNull(first, "first");
    Objects.requireNonNull(second, "second");
    Objects.requireNonNull(interval, "interval");
  }

  /** Whether the randomisation test gives less than 0.05. One of many comparisons should ask for less than that. */
  public boolean significant() {
    return randomisationP < 0.05;
  }

  @Override
  public String toString() {
    return OneLine.of("Difference", String.format(Locale.ROOT, "%+.4f %s, p %.4f, %s - %s", mean, interval,
        randomisationP, second, first));
  }
}
