package dev.fettle.recipes;

import dev.fettle.internal.NoNulls;
import dev.fettle.internal.OneLine;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.NoSuchElementException;
import java.util.Objects;

/**
 * What a {@link Comparison} found. Immutable.
 *
 * @param metric the name of the task's metric
 * @param higherIsBetter whether more of it is better
 * @param rows one a method, the base model first
 * @param quality what is known of each pair of methods on the task
 * @param forgetting the same of the loss on text outside the task; empty if that was not measured
 * @param markdown the table and the tests in words
 * @param directory where {@code results.jsonl}, {@code report.md} and the plots are
 */
public record ComparisonResult(String metric, boolean higherIsBetter, List<Row> rows, List<Pair> quality, List<Pair> forgetting,
    String markdown, Path directory) {
  public ComparisonResult {
    Objects.requireNonNull(metric, "metric");
    rows = List.copyOf(NoNulls.in(rows, "rows"));
    quality = List.copyOf(NoNulls.in(quality, "quality"));
    forgetting = List.copyOf(NoNulls.in(forgetting, "forgetting"));
    Objects.requireNonNull(markdown, "markdown");
    Objects.requireNonNull(directory, "directory");
  }

  /**
   * A method's results.
   *
   * @param method its name
   * @param tuning what it trains, in words
   * @param learningRate the best of those tried, by the loss on the validation data; NaN for the base model
   * @param quality the metric on the test data, one value a seed; seeds that diverged are left out
   * @param outside the loss on text outside the task after training, one value a seed; empty if not measured
   * @param trained how many numbers are trained
   * @param seconds of a run's training steps, the mean over seeds
   * @param tokensPerSecond tokens read by all seeds' training, over its seconds
   * @param peakBytes the most memory that the process had while training, the model and all of Java included; -1 where
   *     the system does not say
   * @param savedBytes size of what is saved: of the adapter, or with trained weights of the whole model
   * @param diverged how many seeds' runs had no finite loss
   */
  public record Row(String method, String tuning, double learningRate, List<Double> quality, List<Double> outside,
      long trained, double seconds, double tokensPerSecond, long peakBytes, long savedBytes, int diverged) {
    public Row {
      Objects.requireNonNull(method, "method");
      Objects.requireNonNull(tuning, "tuning");
      quality = List.copyOf(NoNulls.in(quality, "quality"));
      outside = List.copyOf(NoNulls.in(outside, "outside"));
    }

    /** The metric's mean over seeds. */
    public double meanQuality() {
      return quality.stream().mapToDouble(v -> v).average().orElse(Double.NaN);
    }

    /** The loss outside the task, its mean over seeds. */
    public double meanOutside() {
      return outside.stream().mapToDouble(v -> v).average().orElse(Double.NaN);
    }

    @Override
    public String toString() {
      return OneLine.of("Row", String.format(Locale.ROOT, "%s, %.4f, %,d trained", method, meanQuality(), trained));
    }
  }

  /**
   * Two methods beside each other.
   *
   * @param first the one method
   * @param second the other
   * @param difference the mean of the second less that of the first
   * @param p how likely chance alone gives so much, corrected for the number of pairs (Holm 1979); see {@link Comparison}
   */
  public record Pair(String first, String second, double difference, double p) {
    public Pair {
      Objects.requireNonNull(first, "first");
      Objects.requireNonNull(second, "second");
    }

    /** Whether chance could explain the difference: unless {@code p} is less than 0.05. */
    public boolean isTie() {
      return !(p < 0.05);
    }

    @Override
    public String toString() {
      return OneLine.of("Pair", String.format(Locale.ROOT, "%+.4f, p %.3g, %s, %s - %s", difference, p,
          isTie() ? "tie" : "differs", second, first));
    }
  }

  /**
   * A method's results.
   *
   * @throws NoSuchElementException if it was not compared
   */
  public Row row(String method) {
    Objects.requireNonNull(method, "method");
    return rows.stream().filter(r -> r.method.equals(method)).findFirst().orElseThrow(() -> new NoSuchElementException(
        method + " was not compared; there are " + rows.stream().map(Row::method).toList()));
  }

  @Override
  public String toString() {
    return OneLine.of("Compared", rows.size() + " methods by " + metric);
  }
}
