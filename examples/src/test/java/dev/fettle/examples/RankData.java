package dev.fettle.examples;

import dev.fettle.ranking.Document;
import dev.fettle.ranking.Qrels;
import dev.fettle.ranking.RetrievalData;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Made-up collections. */
final class RankData {
  private static final List<String> THINGS = List.of("wing", "heat", "shock", "panel", "jet", "nose");

  private RankData() {}

  /** As many documents as queries, each relevant to two, and an empty document. */
  static RetrievalData of(int count) {
    List<Document> documents = new ArrayList<>();
    Map<String, String> queries = new TreeMap<>();
    Map<String, Map<String, Integer>> grades = new HashMap<>();
    for (int i = 0; i < count; i++) {
      String thing = THINGS.get(i % 6);
      String title = "the " + thing + " number " + i;
      documents.add(new Document("d" + i, title, title + " flow of the " + thing + " at speed " + i));
      String query = "q" + i;
      queries.put(query, "what of the " + thing + " in case " + i);
      grades.put(query, Map.of("d" + i, 3, "d" + (i + 6) % count, 1, "d" + (i + 1) % count, 0));
    }
    documents.add(new Document("empty", "", ""));
    return RetrievalData.of(documents, queries, Qrels.of(grades));
  }

  static void write(Path directory, int count) {
    of(count).writeBeir(directory.resolve("beir"), "test");
  }
}
