package dev.fettle.examples;

import dev.fettle.Full;
import dev.fettle.Hybrid;
import dev.fettle.Training;
import dev.fettle.Tuning;
import dev.fettle.internal.FileErrors;
import dev.fettle.ranking.RankedRun;
import dev.fettle.ranking.Retriever;
import dev.fettle.recipes.Comparison;
import dev.fettle.recipes.ComparisonResult;
import dev.fettle.recipes.Trial;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The rankings of all systems, kept as TREC files that trec_eval reads, one a system and seed. */
final class RankRuns {
  static final String BM25 = "bm25";
  static final String RERANKED = "reranked";

  private final RankTask task;
  private final Path directory;
  private final long seed;
  private final Map<String, Double> seconds = new LinkedHashMap<>();
  private String current = Comparison.BASE;

  RankRuns(RankTask task, Path directory, long seed) {
    this.task = task;
    this.directory = directory.resolve("rankings");
    this.seed = seed;
    try {
      Files.createDirectories(this.directory);
    } catch (IOException e) {
      throw FileErrors.unsaved(this.directory, e);
    }
  }

  /** Ranks by a search that is not trained, or not yet. */
  void rank(String name, Retriever search, long start) {
    kept(name, task.collection().all().run(name, search, RankTask.DEPTH));
    seconds.put(name, Figures.since(start));
  }

  /** What is measured next. */
  void begin(Trial trial) {
    current = name(method(trial.training().tuning()), trial.seed());
  }

  /** nDCG@10 of each test query, in the order of the queries. */
  double[] measure(Training training) {
    RankedRun run = kept(current, task.run(current, training::embed));
    current = Comparison.BASE;
    return task.scores(run, "test").perQuery().values().stream().mapToDouble(v -> v).toArray();
  }

  /** The runs of a system: one, or one a seed. */
  List<RankedRun> of(String system, int count) {
    List<RankedRun> all = new ArrayList<>();
    for (int i = 1; i <= count; i++) {
      boolean one = isOne(system);
      all.add(RankedRun.trec(directory.resolve((one ? system : name(system, seed + i)) + ".trec")));
    }
    return all;
  }

  /** Whether it is a search that nothing is trained for. */
  static boolean isOne(String system) {
    return system.equals(BM25) || system.equals(RERANKED) || system.equals(Comparison.BASE);
  }

  /** Whether there is such a search. */
  boolean has(String system) {
    return seconds.containsKey(system);
  }

  /** How long it took to index and search the collection. */
  double seconds(String system) {
    return seconds.get(system);
  }

  /** The tables. */
  String markdown(ComparisonResult compared) {
    return new RankReport(task, this, compared, seed).markdown();
  }

  private RankedRun kept(String name, RankedRun run) {
    run.only(task.collection().part("test").queries().keySet()).writeTrec(directory.resolve(name + ".trec"));
    return run;
  }

  private static String name(String method, long seed) {
    return method + "-" + seed;
  }

  private static String method(Tuning tuning) {
    return tuning instanceof Full ? "full" : tuning instanceof Hybrid ? "hybrid" : "lora";
  }
}
