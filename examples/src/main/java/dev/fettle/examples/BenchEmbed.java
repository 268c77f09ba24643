package dev.fettle.examples;

import dev.fettle.BaseModel;
import dev.fettle.Progress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Embedding of {@link Bench}. */
final class BenchEmbed {
  private BenchEmbed() {}

  /** Times the whole public call, so tokenising and the copy of the vectors to Java count. */
  static Map<String, Object> embed(BaseModel model, Options options) {
    int size = options.count(Option.BATCH);
    int length = options.count(Option.LENGTH);
    BenchTexts texts = new BenchTexts(model, options.seed(), length);
    List<List<String>> batches = new ArrayList<>();
    for (int i = 0; i <= options.count(Option.TIMED); i++) {
      batches.add(texts.next(size));
    }
    if (options.has(Option.DUMP)) {
      BenchTexts.dump(batches, options.path(Option.DUMP));
    }
    double[] seconds = new double[batches.size() - 1];
    float[] first = null;
    try (Progress progress = Progress.of("embed", batches.size())) {
      for (int i = 0; i < batches.size(); i++) {
        long start = System.nanoTime();
        first = model.embed(batches.get(i)).get(0);
        if (i > 0) {
          seconds[i - 1] = Figures.since(start);
        }
        progress.step(Double.NaN, (long) size * length);
      }
    }
    Map<String, Object> result = Figures.of(model, (double) size * length, seconds);
    result.put("documents_per_second", size / Figures.median(seconds));
    result.put("vector", first);
    return result;
  }
}
