package dev.fettle.examples;

import dev.fettle.FettleException;
import dev.fettle.Full;
import dev.fettle.Lora;
import dev.fettle.Modules;
import dev.fettle.NumericException;
import dev.fettle.Progress;
import dev.fettle.Training;
import dev.fettle.Tuning;
import dev.fettle.internal.compare.Artefact;
import dev.fettle.ranking.Metric;
import dev.fettle.ranking.Qrels;
import dev.fettle.ranking.Ranked;
import dev.fettle.ranking.RankedRun;
import dev.fettle.ranking.Ranking;
import dev.fettle.ranking.VectorIndex;
import dev.fettle.recipes.Trial;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeSet;

/**
 * Does one unit after the other: tunes, measures, keeps.
 *
 * @param steps of a training at the start setting
 * @param rank of adapters
 * @param lastLayers that a hybrid trains in full
 * @param seed of the comparison
 */
record RankTrainer(RankStore store, int steps, int rank, int lastLayers, long seed) {
  /** Documents that the untuned model finds first, with those that are relevant, are what a lever is judged among. */
  private static final int NEAR = 5;

  /** Tunes a model as a unit says, and keeps the rankings of the queries that it is judged by. */
  void run(RankUnit unit, RankSetting setting, RankTexts texts, RankUntuned untuned, String progress) {
    RankCollection collection = texts.collection();
    int test = unit.lever() ? collection.chooser(unit.fold()) : unit.fold();
    List<String> queries = unit.lever() ? collection.without(unit.fold(), test) : collection.without(unit.fold());
    long own = seed * 1_000 + unit.seed();
    if (unit.queries() < queries.size()) {
      List<String> shuffled = new ArrayList<>(queries);
      Collections.shuffle(shuffled, new Random(own * 100 + unit.fold()));
      queries = shuffled.subList(0, unit.queries());
    }
    List<List<Ranked>> batches = new RankBatches(texts, untuned, setting, own).of(queries, setting.steps(steps));
    long begun = System.nanoTime();
    System.gc();
    Figures.forgetPeak();
    try (Training training = texts.base().model().tune(tuning(unit.method(), own))) {
      long start = System.nanoTime();
      double cpu = Figures.cpuSeconds();
      train(training, batches, setting, rate(unit.method()) * setting.rate(), progress);
      double seconds = Figures.since(start);
      double processor = Figures.cpuSeconds() - cpu;
      long peak = Figures.peakResidentBytes();
      RankBase.Embedder embedder = RankBase.tuned(training);
      Map<String, float[]> sought = texts.vectors(embedder, collection.fold(test));
      Collection<String> some = unit.lever() ? near(collection, untuned.own(), test) : List.of();
      try (VectorIndex index = unit.lever() ? texts.index(embedder, some) : texts.index(embedder)) {
        RankedRun run = texts.run(unit.system(), index, sought);
        boolean first = unit.fold() == 0 && unit.seed() == 1 && !unit.lever();
        RankCosts costs = new RankCosts(unit.key(), setting.name(), training.trainable().trained(),
            first ? Artefact.bytes(training, unit.method().equals("lora"), store.directory().resolve("artefact")) : 0, seconds,
            processor, Figures.since(begun), peak, first ? texts.milliseconds(index, embedder) : 0,
            unit.lever() ? quality(run, collection) : Map.of());
        if (unit.lever()) {
          store.add(costs);
        } else {
          store.add(costs, run);
        }
      }
    }
  }

  private void train(Training training, List<List<Ranked>> batches, RankSetting setting, double rate, String progress) {
    Trial trial = Trial.of(training, rate, seed, batches.size());
    try (Progress line = Progress.of(progress, batches.size())) {
      for (List<Ranked> batch : batches) {
        double loss = training.step(batch, setting.loss(), trial.settings()).loss();
        trial.done(loss, 0);
        line.step(loss, 0);
      }
    } catch (NumericException e) {
      throw new FettleException(progress + ": " + e.getMessage() + "; give a lower learning rate", e);
    }
  }

  private Tuning tuning(String method, long own) {
    Lora lora = Lora.rank(rank).seed(own);
    return switch (method) {
      case "full" -> Full.all();
      case "hybrid" -> lora.plus(Full.of(Modules.lastLayers(lastLayers)).learningRateFactor(RankSetting.FULL_SHARE));
      default -> lora;
    };
  }

  private static double rate(String method) {
    return RankSetting.LORA_RATE * (method.equals("full") ? RankSetting.FULL_SHARE : 1);
  }

  /** nDCG@10 of the untuned model's rankings where levers are judged. */
  static Map<String, Double> untuned(RankCollection collection, RankedRun own, int fold) {
    Collection<String> others = new TreeSet<>(collection.data().corpus().keySet());
    others.removeAll(near(collection, own, fold));
    return quality(own.only(collection.fold(fold)).without(others), collection);
  }

  private static Collection<String> near(RankCollection collection, RankedRun own, int fold) {
    Collection<String> documents = new TreeSet<>(collection.relevant(collection.fold(fold)));
    collection.fold(fold).forEach(query -> own.ranking(query).stream().limit(NEAR)
        .forEach(hit -> documents.add(hit.document())));
    return documents;
  }

  private static Map<String, Double> quality(RankedRun run, RankCollection collection) {
    Qrels judged = collection.data().qrels().only(run.queries());
    return Ranking.of(judged, run).complete().score(Metric.ndcg(10)).perQuery();
  }
}
