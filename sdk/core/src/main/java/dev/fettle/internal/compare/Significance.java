package dev.fettle.internal.compare;

import dev.fettle.internal.ranking.Holm;
import dev.fettle.internal.ranking.PairedTests;
import dev.fettle.ranking.Scores;
import dev.fettle.recipes.ComparisonResult.Pair;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** Whether chance could explain what differs between methods. */
final class Significance {
  private Significance() {}

  /**
   * What a method has.
   *
   * @param seeds a value for each seed; one alone, of the base model, counts as known
   * @param items a value for each item, averaged over seeds; fewer than 2 for none
   */
  record Sample(String name, double[] seeds, double[] items) {
    double mean() {
      return Arrays.stream(seeds).average().orElse(Double.NaN);
    }
  }

  /** All pairs, with Holm's correction. */
  static List<Pair> pairs(List<Sample> samples) {
    List<Pair> pairs = new ArrayList<>();
    for (int i = 0; i < samples.size(); i++) {
      for (int j = i + 1; j < samples.size(); j++) {
        Sample a = samples.get(i);
        Sample b = samples.get(j);
        pairs.add(new Pair(a.name, b.name, b.mean() - a.mean(), p(a, b)));
      }
    }
    return holm(pairs);
  }

  /** The greater p of the tests that the samples allow: both kinds of chance must be beyond. */
  static double p(Sample a, Sample b) {
    double p = welch(a.seeds, b.seeds);
    if (a.items.length > 1 && a.items.length == b.items.length) {
      double[] differences = new double[a.items.length];
      Arrays.setAll(differences, i -> b.items[i] - a.items[i]);
      p = Math.max(p, PairedTests.randomisation(differences, Scores.SHUFFLES, 0));
    }
    return p;
  }

  /** Two-sided p of Welch's t-test. A sample of one value counts as known; NaN if both are, or one is empty. */
  static double welch(double[] a, double[] b) {
    if (a.length + b.length < 3 || a.length == 0 || b.length == 0) {
      return Double.NaN;
    }
    double difference = mean(b) - mean(a);
    double ofA = squaredError(a);
    double ofB = squaredError(b);
    double error = ofA + ofB;
    if (error <= 1e-24 * Math.max(mean(a) * mean(a), mean(b) * mean(b))) {
      return difference == 0 ? 1 : 0;
    }
    double degrees = error * error / ((ofA == 0 ? 0 : ofA * ofA / (a.length - 1)) + (ofB == 0 ? 0 : ofB * ofB / (b.length - 1)));
    return PairedTests.tail(difference / Math.sqrt(error), degrees);
  }

  private static List<Pair> holm(List<Pair> pairs) {
    double[] corrected = Holm.corrected(pairs.stream().mapToDouble(Pair::p).toArray());
    return IntStream.range(0, corrected.length).mapToObj(i -> new Pair(pairs.get(i).first(), pairs.get(i).second(),
        pairs.get(i).difference(), corrected[i])).toList();
  }

  static double mean(double[] values) {
    return Arrays.stream(values).average().orElse(Double.NaN);
  }

  /** The standard deviation of a sample; 0 of one value. */
  static double deviation(double[] values) {
    double mean = mean(values);
    return values.length < 2 ? 0
        : Math.sqrt(Arrays.stream(values).map(v -> (v - mean) * (v - mean)).sum() / (values.length - 1));
  }

  private static double squaredError(double[] values) {
    double deviation = deviation(values);
    return deviation * deviation / values.length;
  }
}
