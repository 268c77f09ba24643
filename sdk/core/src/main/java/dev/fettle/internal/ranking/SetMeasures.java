package dev.fettle.internal.ranking;

import dev.fettle.InvalidInputException;
import java.util.List;

/** Measures of the set of what was retrieved, whatever its order. */
final class SetMeasures {
  private SetMeasures() {}

  static double precision(Judged judged) {
    return judged.retrieved() == 0 ? 0 : (double) judged.found() / judged.retrieved();
  }

  static double recall(Judged judged) {
    return judged.relevant() == 0 ? 0 : (double) judged.found() / judged.relevant();
  }

  static double relativePrecision(Judged judged) {
    int possible = Math.min(judged.retrieved(), judged.relevant());
    return possible == 0 ? 0 : (double) judged.found() / possible;
  }

  static double averagePrecision(Judged judged) {
    return judged.retrieved() == 0 || judged.relevant() == 0 ? 0
        : (double) judged.found() * judged.found() / ((double) judged.retrieved() * judged.relevant());
  }

  static Measure f(String name, String parameters) {
    double[] given = Parameters.numbers(name, parameters, 1);
    return new Measure(name, List.of(Parameters.named(name, parameters)), Measure.Kind.MEAN, (judged, settings) -> {
      if (judged.found() == 0) {
        return new double[1];
      }
      double precision = precision(judged);
      double recall = recall(judged);
      return new double[] {(given[0] + 1) * precision * recall / (recall + given[0] * precision)};
    });
  }

  static Measure utility(String name, String parameters) {
    double[] worth = Parameters.numbers(name, parameters, 1, -1, 0, 0);
    if (worth.length != 4) {
      throw new InvalidInputException("measure utility takes four parameters, such as utility.1,-1,0,0");
    }
    return new Measure(name, List.of(Parameters.named(name, parameters)), Measure.Kind.MEAN, (judged, settings) -> {
      int found = judged.found();
      return new double[] {worth[0] * found
          + worth[1] * (judged.retrieved() - found)
          + worth[2] * (judged.relevant() - found)
          + worth[3] * (settings.collection() + found - judged.retrieved() - judged.relevant())};
    });
  }
}
