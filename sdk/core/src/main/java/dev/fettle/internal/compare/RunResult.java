package dev.fettle.internal.compare;

import dev.fettle.internal.json.JsonNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A run that has ended, a line of {@code results.jsonl}.
 *
 * @param kind {@code base}, {@code sweep} or {@code seed}
 * @param validation loss, of a sweep; NaN if it diverged
 * @param items the metric by item, of a seed; empty if it diverged
 * @param outside loss; NaN if it was not measured
 * @param losses of each step
 * @param seconds of the training steps
 * @param wall seconds of all, measuring included
 */
record RunResult(String kind, String method, String tuning, double rate, long seed, double validation, double[] items,
    double outside, double[] losses, double seconds, double wall, long tokens, long trained, long peakBytes,
    long savedBytes) {

  boolean diverged() {
    return kind.equals("sweep") ? Double.isNaN(validation) : items.length == 0;
  }

  double quality() {
    return Arrays.stream(items).average().orElse(Double.NaN);
  }

  /** Whether it is that run. */
  boolean is(String wantedKind, Method of, double ofRate, long ofSeed) {
    return kind.equals(wantedKind) && method.equals(of.name()) && tuning.equals(of.description()) && rate == ofRate
        && seed == ofSeed;
  }

  Map<String, Object> json() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("run", kind);
    json.put("method", method);
    json.put("tuning", tuning);
    json.put("learning_rate", number(rate));
    json.put("seed", seed);
    json.put("diverged", diverged());
    json.put("validation_loss", number(validation));
    json.put("quality", number(quality()));
    json.put("outside_loss", number(outside));
    json.put("seconds", seconds);
    json.put("wall_seconds", wall);
    json.put("tokens", tokens);
    json.put("trained_parameters", trained);
    json.put("peak_rss_bytes", peakBytes);
    json.put("saved_bytes", savedBytes);
    json.put("losses", numbers(losses));
    json.put("items", numbers(items));
    return json;
  }

  static RunResult of(JsonNode json) {
    return new RunResult(json.path("run").asString(), json.path("method").asString(), json.path("tuning").asString(),
        number(json.path("learning_rate")), json.path("seed").asLong(), number(json.path("validation_loss")),
        numbers(json.path("items")), number(json.path("outside_loss")), numbers(json.path("losses")),
        json.path("seconds").asDouble(), json.path("wall_seconds").asDouble(), json.path("tokens").asLong(),
        json.path("trained_parameters").asLong(), json.path("peak_rss_bytes").asLong(), json.path("saved_bytes").asLong());
  }

  private static Double number(double value) {
    return Double.isFinite(value) ? value : null;
  }

  private static List<Double> numbers(double[] values) {
    List<Double> list = new ArrayList<>();
    for (double value : values) {
      list.add(number(value));
    }
    return list;
  }

  private static double number(JsonNode node) {
    return node.isNumber() ? node.asDouble() : Double.NaN;
  }

  private static double[] numbers(JsonNode array) {
    return array.valueStream().mapToDouble(RunResult::number).toArray();
  }
}
