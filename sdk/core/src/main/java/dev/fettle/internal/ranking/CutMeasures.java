package dev.fettle.internal.ranking;

import java.util.Arrays;
import java.util.List;

/** Measures of the first documents of a ranking, at several positions. */
final class CutMeasures {
  private static final long[] STANDARD = {5, 10, 15, 20, 30, 100, 200, 500, 1000};
  private static final double[] TENTHS = {0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1};
  private static final double[] MULTIPLES = {0.2, 0.4, 0.6, 0.8, 1, 1.2, 1.4, 1.6, 1.8, 2};

  private CutMeasures() {}

  @FunctionalInterface
  private interface AtCutoff {
    double of(Judged judged, long cutoff);
  }

  static Measure precision(String name, String parameters) {
    return at(name, parameters, (judged, k) -> (double) judged.foundIn(k) / k, STANDARD);
  }

  static Measure recall(String name, String parameters) {
    return at(name, parameters, (judged, k) -> share(judged.foundIn(k), judged.relevant()), STANDARD);
  }

  /** Precision among the precisions that are possible at the position. */
  static Measure relativePrecision(String name, String parameters) {
    return at(name, parameters, (judged, k) -> share(judged.foundIn(k), Math.min(k, judged.relevant())), STANDARD);
  }

  static Measure success(String name, String parameters) {
    return at(name, parameters, (judged, k) -> judged.foundIn(k) > 0 ? 1 : 0, 1, 5, 10);
  }

  static Measure averagePrecision(String name, String parameters) {
    return at(name, parameters, RankMeasures::averagePrecision, STANDARD);
  }

  static Measure normalisedGain(String name, String parameters) {
    return at(name, parameters, (judged, k) -> Gains.normalised(judged, k, false), STANDARD);
  }

  static Measure unjudged(String name, String parameters) {
    return at(name, parameters, (judged, k) -> (double) Arrays.stream(judged.grades()).limit(k)
        .filter(grade -> grade < 0).count() / k, 5, 10, 20);
  }

  private static Measure at(String name, String parameters, AtCutoff value, long... standard) {
    long[] cutoffs = Parameters.cutoffs(name, parameters, standard);
    return new Measure(name, Parameters.named(name, cutoffs), Measure.Kind.MEAN,
        (judged, settings) -> Arrays.stream(cutoffs).mapToDouble(k -> value.of(judged, k)).toArray());
  }

  private static double share(int part, long whole) {
    return whole == 0 ? 0 : (double) part / whole;
  }

  /** Precision at multiples of the number of relevant documents. */
  static Measure multiples(String name, String parameters) {
    double[] multiples = Parameters.shares(name, parameters, MULTIPLES);
    return new Measure(name, Parameters.named(name, multiples), Measure.Kind.MEAN, (judged, settings) ->
        Arrays.stream(multiples).mapToLong(m -> (long) (m * judged.relevant() + 0.9))
            .mapToDouble(k -> share(judged.foundIn(k), k)).toArray());
  }

  static Measure interpolated(String name, String parameters) {
    double[] shares = Parameters.shares(name, parameters, TENTHS);
    return new Measure(name, Parameters.named(name, shares), Measure.Kind.MEAN,
        (judged, settings) -> interpolated(judged, settings, shares));
  }

  static Measure interpolatedMean(String name, String parameters) {
    double[] shares = Parameters.numbers(name, parameters, TENTHS);
    return new Measure(name, List.of(Parameters.named(name, parameters)), Measure.Kind.MEAN,
        (judged, settings) -> new double[] {Arrays.stream(interpolated(judged, settings, shares)).sum()
            / shares.length});
  }

  /** The best precision at a rank where at least that share of the relevant documents is found. */
  private static double[] interpolated(Judged judged, Settings settings, double... shares) {
    double[] best = new double[judged.found() + 1];
    int found = judged.found();
    double precision = (double) found / judged.retrieved();
    for (int i = judged.retrieved(); i > 0 && found > 0; i--) {
      precision = Math.max(precision, (double) found / i);
      if (judged.relevantAt(i - 1)) {
        best[found--] = precision;
      }
    }
    best[0] = precision;
    return Arrays.stream(shares).mapToInt(share -> wanted(share, judged.relevant(), settings.nine()))
        .mapToDouble(wanted -> wanted > judged.found() ? 0 : best[Math.max(0, wanted)]).toArray();
  }

  /** How many documents a share is: trec_eval 9 rounds up from a tenth on, 10 to the nearest, halves up. */
  private static int wanted(double share, int relevant, boolean nine) {
    double exact = share * relevant;
    return (int) (nine ? exact + 0.9 : Math.floor(exact + 0.5));
  }
}
