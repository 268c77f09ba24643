package dev.fettle.internal.ranking;

import java.util.List;

/**
 * One of trec_eval's measures.
 *
 * @param name as {@code -m} knows it
 * @param outputs the names that its values are printed under
 * @param kind what becomes of the values of all queries
 * @param values of one query, one for each output
 */
record Measure(String name, List<String> outputs, Kind kind, Values values) {
  enum Kind {
    /** The mean over queries. */
    MEAN,
    /** Whole numbers, added up. */
    COUNT,
    /** The number of queries; not printed for each. */
    QUERIES,
    /** The values are logarithms, and the exponential of their mean is printed at the end alone. */
    GEOMETRIC,
    /** The name of the run. */
    NAME,
    /** The first grades as text; the value is how many. Printed for each query alone. */
    GRADES
  }

  @FunctionalInterface
  interface Values {
    double[] of(Judged judged, Settings settings);
  }

  @FunctionalInterface
  interface Value {
    double of(Judged judged);
  }

  /** A measure without parameters. */
  static Measure mean(String name, Value value) {
    return new Measure(name, List.of(name), Kind.MEAN, (judged, settings) -> new double[] {value.of(judged)});
  }

  static Measure of(String name, Kind kind, Value value) {
    return new Measure(name, List.of(name), kind, (judged, settings) -> new double[] {value.of(judged)});
  }
}
