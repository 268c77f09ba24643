package dev.fettle.examples;

import dev.fettle.AdamW;
import dev.fettle.BaseModel;
import dev.fettle.Batch;
import dev.fettle.Loss;
import dev.fettle.LossResult;
import dev.fettle.Training;
import dev.fettle.internal.torch.Profile;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

// An internal package that examples use: where the time goes within a step is nothing that a program needs, so the public API
// does not say.

/** Where the time of a step goes, or of a token while decoding. */
final class BenchProfile {
  private BenchProfile() {}

  static Map<String, Object> profile(BaseModel model, Options options) {
    return options.has(Option.NEW) ? decoding(model, options) : training(model, options);
  }

  private static Map<String, Object> decoding(BaseModel model, Options options) {
    BenchDecode decode = new BenchDecode(model, options);
    Map<String, Object> result = decode.measure(model, options.count(Option.TIMED));
    result.put("operations", BenchOperations.of(decode::run, options.count(Option.NEW)));
    return result;
  }

  private static Map<String, Object> training(BaseModel model, Options options) {
    Training training = model.tune(options.tuning());
    AdamW settings = AdamW.learningRate(options.learningRate());
    List<Batch> batches = BenchTrain.randomBatches(model, options, 1 + options.count(Option.TIMED));
    training.step(batches.get(0), Loss.crossEntropy(), settings);
    double[] seconds = new double[batches.size() - 1];
    LossResult loss = null;
    Profile.start();
    Map<String, Long> counted;
    try {
      for (int i = 0; i < seconds.length; i++) {
        long start = System.nanoTime();
        loss = training.step(batches.get(i + 1), Loss.crossEntropy(), settings).loss();
        seconds[i] = Figures.since(start);
      }
    } finally {
      counted = Profile.stop();
    }
    Map<String, Double> calls = new LinkedHashMap<>();
    counted.forEach((kernel, time) -> calls.put(kernel, time / 1e9 / seconds.length));
    Map<String, Double> phases = phases(calls, Arrays.stream(seconds).average().orElseThrow());
    Map<String, Object> result = Figures.of(model, batches.get(0).tokens(), seconds);
    result.put("loss", loss.meanLoss());
    result.put("phases", phases);
    result.put("calls", calls);
    Batch first = batches.get(0);
    result.put("operations", BenchOperations.of(() -> training.step(first, Loss.crossEntropy(), settings), 1));
    return result;
  }

  /** Seconds a step by phase; what is left is Java and the crossing to native code. */
  static Map<String, Double> phases(Map<String, Double> calls, double step) {
    Map<String, Double> phases = new LinkedHashMap<>();
    for (String phase : List.of("forward", "head and loss", "backward", "optimizer", "refresh", "copies")) {
      phases.put(phase, 0.0);
    }
    calls.forEach((kernel, seconds) -> phases.merge(phase(kernel), seconds, Double::sum));
    phases.put("outside native calls", step - calls.values().stream().mapToDouble(d -> d).sum());
    return phases;
  }

  private static String phase(String kernel) {
    if (kernel.startsWith("layer") || kernel.startsWith("embed")) {
      return kernel.contains("backward") || kernel.contains("gradient") ? "backward" : "forward";
    } else if (kernel.startsWith("head") || kernel.startsWith("rms_norm") || kernel.equals("spread_rows")) {
      return "head and loss";
    } else if (kernel.startsWith("adamw") || kernel.equals("l2_norm")) {
      return "optimizer";
    }
    return kernel.contains("refresh") ? "refresh" : "copies";
  }
}
