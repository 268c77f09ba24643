package dev.fettle.examples;

import dev.fettle.BaseModel;
import dev.fettle.internal.FileErrors;
import dev.fettle.ranking.RankedRun;
import dev.fettle.ranking.Retriever;
import dev.fettle.ranking.VectorIndex;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Searches that nothing is trained for: by words, by each base model as it is, and what a reranker makes of the first
 * model's. Each is made once and kept, the vectors of documents and queries too.
 */
final class RankSearches {
  static final String WORDS = "bm25";
  static final String UNTUNED = "untuned";
  static final String RERANKED = "reranked";
  /** Documents of each ranking that a reranker reads. */
  private static final int READ = 50;

  private final RankStore store;
  private final Map<String, float[]> documents = new HashMap<>();
  private final Map<String, Map<String, float[]>> queries = new HashMap<>();

  RankSearches(RankStore store) {
    this.store = store;
    try {
      Files.createDirectories(store.directory().resolve("vectors"));
    } catch (IOException e) {
      throw FileErrors.unsaved(store.directory(), e);
    }
  }

  static String words(RankCollection collection) {
    return WORDS + "." + collection.name();
  }

  static String untuned(RankBase base, RankCollection collection) {
    return String.join(".", UNTUNED, base.name(), collection.name());
  }

  static String reranked(RankCollection collection) {
    return RERANKED + "." + collection.name();
  }

  /** Ranks by words. */
  void byWords(RankCollection collection) {
    String key = words(collection);
    if (store.costs(key).isEmpty()) {
      long start = System.nanoTime();
      double cpu = Figures.cpuSeconds();
      try (LuceneBm25 bm25 = LuceneBm25.plain(collection.data().corpus().values(), 1.2, 0.75)) {
        RankedRun run = collection.data().run(WORDS, bm25, RankTexts.DEPTH);
        store.add(costs(key, start, cpu, milliseconds(collection, bm25)), run);
      }
    }
  }

  private static double milliseconds(RankCollection collection, Retriever search) {
    List<String> some = collection.queries().subList(0, Math.min(20, collection.queries().size()));
    double[] times = some.stream().mapToDouble(query -> {
      long start = System.nanoTime();
      search.search(collection.data().queries().get(query), RankTexts.DEPTH);
      return Figures.since(start) * 1000;
    }).toArray();
    return Figures.median(times);
  }

  /** Ranks by a model as it is. */
  void byVectors(RankTexts texts) {
    RankBase base = texts.base();
    RankCollection collection = texts.collection();
    String key = untuned(base, collection);
    Path file = store.directory().resolve("vectors").resolve(key + ".npy");
    Path sought = store.directory().resolve("vectors").resolve(key + ".queries.npy");
    if (store.costs(key).isEmpty()) {
      long start = System.nanoTime();
      double cpu = Figures.cpuSeconds();
      Figures.forgetPeak();
      Map<String, float[]> vectors = texts.vectors(base.untuned(), collection.queries());
      try (VectorIndex index = texts.index(base.untuned());
          VectorIndex asked = VectorIndex.of(List.copyOf(vectors.keySet()), vectors.values().toArray(float[][]::new))) {
        index.write(file);
        asked.write(sought);
        RankCosts costs = costs(key, start, cpu, texts.milliseconds(index, base.untuned()));
        store.add(costs, texts.run(UNTUNED + "." + base.name(), index, vectors));
      }
    }
    keep(base, collection, file, sought);
  }

  private void keep(RankBase base, RankCollection collection, Path file, Path sought) {
    try (VectorIndex index = VectorIndex.read(file); VectorIndex asked = VectorIndex.read(sought)) {
      for (int i = 0; i < index.size(); i++) {
        documents.put(untuned(base, collection) + "/" + index.ids().get(i), index.vector(i));
      }
      Map<String, float[]> vectors = new LinkedHashMap<>();
      for (int i = 0; i < asked.size(); i++) {
        vectors.put(asked.ids().get(i), asked.vector(i));
      }
      queries.put(untuned(base, collection), vectors);
    }
  }

  /** Puts what the first model finds into the order of a reranker. */
  void byReranker(RankTexts texts, BaseModel reranker) {
    RankCollection collection = texts.collection();
    String key = reranked(collection);
    if (store.costs(key).isEmpty()) {
      long start = System.nanoTime();
      double cpu = Figures.cpuSeconds();
      RankedRun own = store.run(untuned(texts.base(), collection));
      Map<String, String> ids = new HashMap<>();
      collection.data().queries().forEach((id, text) -> ids.put(text, id));
      Retriever found = (query, count) -> own.ranking(ids.get(query)).stream().limit(count).toList();
      Retriever better = new Reranked(found, reranker::score, id -> collection.data().corpus().get(id).whole(), READ);
      RankedRun run = collection.data().run(RERANKED, better, RankTexts.DEPTH);
      store.add(costs(key, start, cpu, Figures.since(start) * 1000 / collection.queries().size()), run);
    }
  }

  /** What the training of a model on a collection draws on. */
  RankUntuned of(RankTexts texts, RankBase teacher) {
    RankCollection collection = texts.collection();
    return new RankUntuned(store.run(words(collection)), store.run(untuned(texts.base(), collection)),
        similarity(texts.base(), collection), similarity(teacher, collection));
  }

  private RankUntuned.Similarity similarity(RankBase base, RankCollection collection) {
    Map<String, float[]> asked = queries.get(untuned(base, collection));
    return (query, document) -> dot(asked.get(query), documents.get(untuned(base, collection) + "/" + document));
  }

  private static double dot(float[] a, float[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (double) a[i] * b[i];
    }
    return sum;
  }

  private static RankCosts costs(String key, long start, double cpu, double milliseconds) {
    return new RankCosts(key, "", 0, 0, 0, Figures.cpuSeconds() - cpu, Figures.since(start), Figures.peakResidentBytes(),
        milliseconds, Map.of());
  }
}
