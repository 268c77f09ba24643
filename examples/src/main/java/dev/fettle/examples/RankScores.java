package dev.fettle.examples;

import dev.fettle.ranking.Metric;
import dev.fettle.ranking.Qrels;
import dev.fettle.ranking.RankedRun;
import dev.fettle.ranking.Ranking;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * How good each system is for each query, when its fold was tested. Of several seeds the mean counts, so that tests are over
 * queries. Keys are a collection's name, a slash and a query's.
 */
final class RankScores {
  private final RankStudy study;
  private final Map<String, Map<String, Double>> known = new HashMap<>();

  RankScores(RankStudy study) {
    this.study = study;
  }

  /** What is measured. */
  enum Measure { NDCG, RECALL, RESIDUAL }

  /** A value for each query of collections; empty where a system was not ready with all folds of all of them. */
  Map<String, Double> values(RankSystem system, Measure measure, Collection<RankCollection> collections) {
    Map<String, Double> all = new LinkedHashMap<>();
    for (RankCollection collection : collections) {
      Map<String, Double> own = known.computeIfAbsent(system.name() + measure + collection.name(),
          k -> values(system, measure, collection));
      if (own.isEmpty()) {
        return Map.of();
      }
      own.forEach((query, value) -> all.put(collection.name() + "/" + query, value));
    }
    return all;
  }

  private Map<String, Double> values(RankSystem system, Measure measure, RankCollection collection) {
    List<Map<String, Double>> seeds = new ArrayList<>();
    if (!system.isTuned()) {
      String key = system.key() + "." + collection.name();
      if (study.store().costs(key).isPresent()) {
        seeds.add(values(measure, collection, fold -> study.store().run(key)));
      }
    } else {
      for (int seed : seeds(system, collection)) {
        seeds.add(values(measure, collection, fold -> study.store().run(key(system, collection, fold, seed))));
      }
    }
    Map<String, Double> means = new LinkedHashMap<>();
    seeds.forEach(one -> one.forEach((query, value) -> means.merge(query, value / seeds.size(), Double::sum)));
    return means;
  }

  /** Mean nDCG@10 of each seed that is ready. */
  List<Double> means(RankSystem system, RankCollection collection) {
    return seeds(system, collection).stream().map(seed -> values(Measure.NDCG, collection,
        fold -> study.store().run(key(system, collection, fold, seed))).values().stream().mapToDouble(v -> v).average()
        .orElse(Double.NaN)).toList();
  }

  /** The seeds that all folds are done with. */
  List<Integer> seeds(RankSystem system, RankCollection collection) {
    List<Integer> ready = new ArrayList<>();
    for (int seed = 1; ready.size() == seed - 1; seed++) {
      boolean all = true;
      for (int fold = 0; fold < collection.folds(); fold++) {
        all &= study.store().costs(key(system, collection, fold, seed)).isPresent();
      }
      if (all) {
        ready.add(seed);
      } else {
        break;
      }
    }
    return ready;
  }

  private static String key(RankSystem system, RankCollection collection, int fold, int seed) {
    return new RankUnit(system.unit(), system.base(), "", collection.name(), fold, seed, RankUnit.ALL, false).key();
  }

  @FunctionalInterface
  private interface Runs {
    RankedRun of(int fold);
  }

  private static Map<String, Double> values(Measure measure, RankCollection collection, Runs runs) {
    Map<String, Double> all = new LinkedHashMap<>();
    for (int fold = 0; fold < collection.folds(); fold++) {
      RankedRun run = runs.of(fold).only(collection.fold(fold));
      Qrels judged = collection.data().qrels().only(collection.fold(fold));
      if (measure == Measure.RESIDUAL) {
        Set<String> seen = collection.relevant(collection.without(fold));
        run = run.without(seen);
        judged = residual(judged, seen);
      }
      if (judged != null) {
        all.putAll(Ranking.of(judged, run.only(judged.queries())).complete()
            .score(measure == Measure.RECALL ? Metric.recall(100) : Metric.ndcg(10)).perQuery());
      }
    }
    return all;
  }

  /** Judgements without documents, of the queries that keep a relevant one; null if none does. */
  static Qrels residual(Qrels qrels, Set<String> documents) {
    Map<String, Map<String, Integer>> rest = new HashMap<>();
    for (String query : qrels.queries()) {
      Map<String, Integer> kept = qrels.grades(query).entrySet().stream().filter(e -> !documents.contains(e.getKey()))
          .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
      if (kept.values().stream().anyMatch(grade -> grade >= 1)) {
        rest.put(query, kept);
      }
    }
    return rest.isEmpty() ? null : Qrels.of(rest);
  }
}
