package dev.fettle.examples;

import dev.fettle.internal.ranking.Bootstrap;
import dev.fettle.internal.ranking.PairedTests;
import dev.fettle.internal.ranking.Power;
import dev.fettle.ranking.Interval;
import dev.fettle.ranking.Scores;
import java.util.Locale;
import java.util.Map;

/**
 * What a second system has more than a first, over the same queries.
 *
 * @param queries how many there are
 * @param mean of second less first
 * @param interval the 95 % paired bootstrap interval of it
 * @param p two-sided, of the paired randomisation test, not corrected
 * @param detectable the difference that these queries show with a power of 80 % at 0.05, before any correction
 * @param values the differences themselves
 */
record RankDifference(int queries, double mean, Interval interval, double p, double detectable, double[] values) {
  static final double ALPHA = 0.05;
  static final double POWER = 0.8;

  /** Of values by query; both have the same queries. */
  static RankDifference of(Map<String, Double> first, Map<String, Double> second, long seed) {
    double[] values = first.keySet().stream().mapToDouble(query -> second.get(query) - first.get(query)).toArray();
    double sum = 0;
    for (double value : values) {
      sum += value;
    }
    return new RankDifference(values.length, sum / values.length, Bootstrap.interval(values, Scores.RESAMPLES, seed),
        PairedTests.randomisation(values, Scores.SHUFFLES, seed), Power.detectable(values, ALPHA, POWER), values);
  }

  /** With its interval. */
  String shown() {
    return String.format(Locale.ROOT, "%+.4f [%+.3f, %+.3f]", mean, interval.low(), interval.high());
  }

  /** A p as reports have it. */
  static String shown(double p) {
    return p < 0.0001 ? "p < 0.0001" : "p = " + String.format(Locale.ROOT, "%.4f", p);
  }

  /** A verdict that a sceptic accepts, by the p that is corrected for the family. */
  String verdict(String first, String second, double corrected) {
    String numbers = shown() + ", " + shown(corrected) + " after Holm's correction";
    return corrected < ALPHA
        ? second + " is " + (mean > 0 ? "better" : "worse") + " than " + first + ", told from chance: " + numbers + "."
        : second + " is not told from " + first + ": " + numbers + ".";
  }
}
