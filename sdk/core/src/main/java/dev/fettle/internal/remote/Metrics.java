package dev.fettle.internal.remote;

import dev.fettle.internal.wire.Passes;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Figures of the parts of a batch, made into figures of the whole by what their names say after the colon. */
final class Metrics {
  private Metrics() {}

  static Map<String, Double> combine(List<Passes.Output> chunks) {
    Map<String, Double> out = new HashMap<>();
    Map<String, Double> first = metrics(chunks.get(0));
    for (String key : first.keySet()) {
      if (chunks.stream().allMatch(c -> metrics(c).get(key) != null)) {
        if (chunks.size() == 1) {
          out.put(key, first.get(key));
        } else {
          put(out, key, chunks);
        }
      }
    }
    return out;
  }

  private static Map<String, Double> metrics(Passes.Output chunk) {
    return chunk.metrics() == null ? Map.of() : chunk.metrics();
  }

  private static void put(Map<String, Double> out, String key, List<Passes.Output> chunks) {
    double[] values = chunks.stream().mapToDouble(c -> metrics(c).get(key)).toArray();
    double sum = 0;
    double weighted = 0;
    double data = 0;
    double least = values[0];
    double most = values[0];
    for (int i = 0; i < values.length; i++) {
      int weight = chunks.get(i).lossFnOutputs().size();
      sum += values[i];
      weighted += values[i] * weight;
      data += weight;
      least = Math.min(least, values[i]);
      most = Math.max(most, values[i]);
    }
    double mean = data == 0 ? sum / values.length : weighted / data;
    switch (key.substring(key.lastIndexOf(':') + 1)) {
      case "sum" -> out.put(key, sum);
      case "mean" -> out.put(key, mean);
      case "min" -> out.put(key, least);
      case "max" -> out.put(key, most);
      case "slack" -> out.put(key, most - mean);
      case "unique" -> {
        for (int i = 0; i < values.length; i++) {
          out.put(i == 0 ? key : key + "_" + i, values[i]);
        }
      }
      default -> { }
    }
  }
}
