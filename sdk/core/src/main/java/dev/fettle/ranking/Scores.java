package dev.fettle.ranking;

import dev.fettle.InvalidInputException;
import dev.fettle.internal.NoNulls;
import dev.fettle.internal.OneLine;
import dev.fettle.internal.ranking.Bootstrap;
import dev.fettle.internal.ranking.PairedTests;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;

/**
 * The value of a metric for each query of a run. Immutable and thread-safe.
 */
public final class Scores {
  /** How many resamples an interval is made of: 10,000. */
  public static final int RESAMPLES = 10_000;

  /** How many random sign changes the randomisation test makes where there are too many to try them all: 100,000. */
  public static final int SHUFFLES = 100_000;

  private final Metric metric;
  private final String run;
  private final Map<String, Double> perQuery;

  Scores(Metric metric, String run, Map<String, Double> perQuery) {
    this.metric = metric;
    this.run = run;
    this.perQuery = perQuery;
  }

  /**
   * For each query the mean of several runs, such as those of one method with several seeds.
   *
   * @param name what the runs are together
   * @throws InvalidInputException if there is none, or metrics or queries differ
   */
  public static Scores mean(String name, List<Scores> runs) {
    Objects.requireNonNull(name, "name");
    if (NoNulls.in(runs, "runs").isEmpty()) {
      throw new InvalidInputException("no scores: give those of at least one run");
    }
    Scores first = runs.get(0);
    Map<String, Double> means = new LinkedHashMap<>(first.perQuery);
    means.replaceAll((query, value) -> 0.0);
    for (Scores scores : runs) {
      if (!scores.metric.equals(first.metric) || !scores.perQuery.keySet().equals(means.keySet())) {
        throw new InvalidInputException(scores + " and " + first + " are not of one metric and the same queries");
      }
      scores.perQuery.forEach((query, value) -> means.merge(query, value / runs.size(), Double::sum));
    }
    return new Scores(first.metric, name, Collections.unmodifiableMap(means));
  }

  /** What was measured. */
  public Metric metric() {
    return metric;
  }

  /** The name of the run. */
  public String run() {
    return run;
  }

  /** The value by query, in the order of the queries' UTF-8. */
  public Map<String, Double> perQuery() {
    return perQuery;
  }

  /** The mean over queries. */
  public double mean() {
    return perQuery.values().stream().mapToDouble(v -> v).sum() / perQuery.size();
  }

  /** The 95 % percentile bootstrap interval of the mean over queries, of {@link #RESAMPLES} resamples. */
  public Interval interval(long seed) {
    return Bootstrap.interval(values(), RESAMPLES, seed);
  }

  /**
   * How much more the other run has, query by query, and whether chance could explain it: the paired bootstrap interval
   * of the mean difference, a paired randomisation test (Fisher's, two-sided: the signs of the differences are changed
   * at random; see Smucker, Allan and Carterette, CIKM 2007) and a paired t-test. Both runs must have the same queries:
   * see {@link Ranking#complete()}.
   *
   * @throws InvalidInputException if the metrics or the queries differ, or there are fewer than two queries
   */
  public Difference to(Scores other, long seed) {
    Objects.requireNonNull(other, "other");
    if (!metric.equals(other.metric)) {
      throw new InvalidInputException("cannot compare " + metric + " with " + other.metric);
    }
    if (!perQuery.keySet().equals(other.perQuery.keySet())) {
      throw new InvalidInputException(run + " has " + perQuery.size() + " queries and " + other.run + " "
          + other.perQuery.size() + ", and they are not the same: count missing ones with Ranking.complete()");
    }
    if (perQuery.size() < 2) {
      throw new InvalidInputException("one query is too few to compare runs by");
    }
    double[] differences = perQuery.entrySet().stream()
        .mapToDouble(e -> Objects.requireNonNull(other.perQuery.get(e.getKey())) - e.getValue()).toArray();
    return new Difference(metric.name(), run, other.run, differences.length, other.mean() - mean(),
        Bootstrap.interval(differences, RESAMPLES, seed), PairedTests.randomisation(differences, SHUFFLES, seed),
        PairedTests.student(differences));
  }

  private double[] values() {
    return perQuery.values().stream().mapToDouble(v -> v).toArray();
  }

  @Override
  public String toString() {
    return OneLine.of("Scores", String.format(Locale.ROOT, "%s %s %.4f, %d queries", run, metric, mean(),
        perQuery.size()));
  }
}
