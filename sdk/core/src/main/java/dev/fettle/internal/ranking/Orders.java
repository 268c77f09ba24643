package dev.fettle.internal.ranking;

import dev.fettle.InvalidInputException;
import dev.fettle.ranking.Hit;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/** trec_eval's orders of queries and documents. */
public final class Orders {
  /** By score, the highest first; equal ones by document, the last in UTF-8 first. -0 equals 0. */
  static final Comparator<Hit> HITS = Comparator.<Hit>comparingDouble(hit -> hit.score() + 0.0).reversed()
      .thenComparing(Hit::document, Utf8Order.ASCENDING.reversed());

  private Orders() {}

  /** Rankings in order, by queries in order; no document may be there twice. */
  public static SortedMap<String, List<Hit>> byQuery(String run, Map<String, List<Hit>> rankings) {
    SortedMap<String, List<Hit>> sorted = new TreeMap<>(Utf8Order.ASCENDING);
    rankings.forEach((query, hits) -> {
      Set<String> seen = new HashSet<>();
      hits.forEach(hit -> {
        if (!seen.add(hit.document())) {
          throw new InvalidInputException("run " + run + ", query " + query + ": document " + hit.document()
              + " is there twice");
        }
      });
      sorted.put(query, hits.stream().sorted(HITS).toList());
    });
    return sorted;
  }
}
