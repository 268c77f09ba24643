package dev.fettle.internal.ranking;

import java.util.List;

/** Measures whose gains the command line may set. */
final class GainMeasures {
  private GainMeasures() {}

  @FunctionalInterface
  private interface OfGains {
    double of(double[] gains, double[] ideal, Judged judged);
  }

  static Measure discounted(String name, String parameters) {
    return measure(name, parameters, (gains, ideal, judged) -> sum(gains));
  }

  static Measure idealDiscounted(String name, String parameters) {
    return measure(name, parameters, (gains, ideal, judged) -> sum(ideal));
  }

  static Measure normalised(String name, String parameters) {
    return measure(name, parameters, (gains, ideal, judged) -> ideal.length == 0 ? 0 : sum(gains) / sum(ideal));
  }

  /** nDCG at each relevant document, averaged. */
  static Measure atRelevant(String name, String parameters) {
    return measure(name, parameters, (gains, ideal, judged) -> {
      double total = 0;
      double dcg = 0;
      double best = 0;
      int found = 0;
      for (int i = 0; i < gains.length; i++) {
        dcg += discounted(gains, i);
        best += discounted(ideal, i);
        if (gains[i] > 0) {
          total += dcg / best;
          found++;
        }
      }
      total += (ideal.length - found) * dcg / sum(ideal);
      return total > 0 ? total / ideal.length : 0;
    });
  }

  /** nDCG where the ideal ranking passes from one gain to the next, averaged. */
  static Measure atLevels(String name, String parameters) {
    return measure(name, parameters, (gains, ideal, judged) -> {
      if (judged.relevant() == 0) {
        return 0;
      }
      double total = 0;
      double dcg = 0;
      double best = 0;
      int count = 0;
      int length = Math.max(gains.length, ideal.length + 1);
      double before = at(ideal, 0);
      for (int i = 0; i < length; i++) {
        if (at(ideal, i) != before && best > 0) {
          total += dcg / best;
          count++;
        }
        before = at(ideal, i);
        dcg += discounted(gains, i);
        best += discounted(ideal, i);
      }
      if (gains.length > ideal.length + 1 && best > 0) {
        total += dcg / best;
        count++;
      }
      return total / count;
    });
  }

  /** Each gain by the logarithm of how much an ideal ranking would have gained more before it. */
  static Measure relative(String name, String parameters) {
    return measure(name, parameters, (gains, ideal, judged) -> {
      double value = 0;
      double gained = 0;
      double possible = 0;
      for (int i = 0; i < gains.length; i++) {
        gained += gains[i];
        possible += Math.max(1, at(ideal, i));
        if (gains[i] != 0) {
          value += gains[i] / Gains.log2(2 + possible - gained);
        }
      }
      double total = 0;
      for (double gain : ideal) {
        total += gain;
      }
      return total > 0 ? value / total : 0;
    });
  }

  /** Moffat and Zobel, TOIS 2009: gains weighted by a user's persistence. */
  static Measure rankBiased(String name, String parameters) {
    List<Parameters.Gain> given = Parameters.gains(name, parameters);
    double persistence = given.stream().filter(g -> g.grade().equals("p")).mapToDouble(Parameters.Gain::gain)
        .reduce(0.9, (first, last) -> last);
    return new Measure(name, List.of(Parameters.named(name, parameters)), Measure.Kind.MEAN, (judged, settings) -> {
      List<Gains.Level> levels = Gains.levels(judged, given);
      double least = levels.stream().mapToDouble(Gains.Level::gain).reduce(0, Math::min);
      double most = levels.stream().mapToDouble(Gains.Level::gain).reduce(0, Math::max);
      boolean scaled = least < 0 || most > 1;
      double sum = 0;
      double attention = 1;
      for (int grade : judged.grades()) {
        double gain = Gains.of(grade, levels);
        boolean known = levels.stream().anyMatch(level -> level.grade() == grade);
        sum += (scaled && known ? (gain - least) / (most - least) : gain) * attention;
        attention *= persistence;
      }
      return new double[] {(1 - persistence) * sum};
    });
  }

  private static Measure measure(String name, String parameters, OfGains value) {
    List<Parameters.Gain> given = Parameters.gains(name, parameters);
    return new Measure(name, List.of(Parameters.named(name, parameters)), Measure.Kind.MEAN, (judged, settings) -> {
      List<Gains.Level> levels = Gains.levels(judged, given);
      double[] gains = new double[judged.retrieved()];
      for (int i = 0; i < gains.length; i++) {
        gains[i] = Gains.of(judged.grades()[i], levels);
      }
      return new double[] {value.of(gains, Gains.ideal(levels), judged)};
    });
  }

  private static double sum(double... gains) {
    double sum = 0;
    for (int i = 0; i < gains.length; i++) {
      sum += discounted(gains, i);
    }
    return sum;
  }

  private static double discounted(double[] gains, int index) {
    return index >= gains.length || gains[index] == 0 ? 0 : gains[index] / Gains.log2(index + 2);
  }

  private static double at(double[] gains, int index) {
    return index < gains.length ? gains[index] : 0;
  }
}
