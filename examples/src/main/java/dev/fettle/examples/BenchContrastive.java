package dev.fettle.examples;

import dev.fettle.AdamW;
import dev.fettle.BaseModel;
import dev.fettle.Progress;
import dev.fettle.Training;
import dev.fettle.ranking.RankLoss;
import dev.fettle.ranking.RankResult;
import dev.fettle.ranking.Ranked;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Contrastive training steps of {@link Bench}. */
final class BenchContrastive {
  private BenchContrastive() {}

  /** Times the whole public call, tokenising included. */
  static Map<String, Object> contrastive(BaseModel model, Options options) {
    int pairs = options.count(Option.BATCH);
    int texts = 2 + options.count(Option.NEGATIVES);
    long tokens = (long) pairs * texts * options.count(Option.LENGTH);
    List<List<Ranked>> batches = batches(model, options, texts);
    Training training = model.tune(options.encoderTuning());
    AdamW settings = AdamW.learningRate(options.learningRate());
    double[] seconds = new double[batches.size() - 1];
    RankResult result = null;
    try (Progress progress = Progress.of("contrastive", batches.size())) {
      for (int i = 0; i < batches.size(); i++) {
        long start = System.nanoTime();
        result = training.step(batches.get(i), RankLoss.contrastive(), settings);
        if (i > 0) {
          seconds[i - 1] = Figures.since(start);
        }
        progress.step(result.loss(), tokens);
      }
    }
    Map<String, Object> figures = Figures.of(model, (double) tokens, seconds);
    figures.put("pairs_per_second", pairs / Figures.median(seconds));
    figures.put("loss", result.loss());
    return figures;
  }

  private static List<List<Ranked>> batches(BaseModel model, Options options, int size) {
    BenchTexts texts = new BenchTexts(model, options.seed(), options.count(Option.LENGTH));
    List<List<Ranked>> batches = new ArrayList<>();
    for (int step = 0; step <= options.count(Option.TIMED); step++) {
      List<Ranked> batch = new ArrayList<>();
      for (int i = 0; i < options.count(Option.BATCH); i++) {
        List<String> own = texts.next(size);
        batch.add(new Ranked(own.get(0), own.subList(1, size), List.of()));
      }
      batches.add(batch);
    }
    if (options.has(Option.DUMP)) {
      BenchTexts.dump(batches.stream().map(BenchContrastive::columns).toList(), options.path(Option.DUMP));
    }
    return batches;
  }

  /** A list for each pair: the query, the text that belongs to it, hard negatives. */
  private static List<List<String>> columns(List<Ranked> batch) {
    List<List<String>> out = new ArrayList<>();
    for (Ranked ranked : batch) {
      List<String> row = new ArrayList<>(List.of(ranked.query()));
      row.addAll(ranked.texts());
      out.add(row);
    }
    return out;
  }
}
