package dev.fettle.internal.ranking;

import dev.fettle.ranking.Hit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * A run in terms of grades, by query in trec_eval's order.
 *
 * @param run the name of the run
 * @param missing the queries that are judged but not in the run; they are among the others if they count
 */
public record Evaluation(String run, Map<String, Judged> queries, Set<String> missing, Settings settings) {
  /** Joins rankings, each in trec_eval's order, and judgements by query. */
  public static Evaluation of(String run, Map<String, List<Hit>> rankings, Map<String, Map<String, Integer>> judgements,
      Settings settings) {
    Map<String, Judged> queries = new LinkedHashMap<>();
    Set<String> missing = new TreeSet<>();
    Map<String, Map<String, Integer>> sorted = new TreeMap<>(Utf8Order.ASCENDING);
    sorted.putAll(judgements);
    sorted.forEach((query, grades) -> {
      List<Hit> hits = rankings.get(query);
      if (hits == null) {
        missing.add(query);
      }
      if (hits != null || settings.complete()) {
        queries.put(query, Judged.of(hits == null ? new ArrayList<>() : hits, grades, settings));
      }
    });
    return new Evaluation(run, queries, missing, settings);
  }
}
