package dev.fettle.examples;

import dev.fettle.Tokenizer;
import dev.fettle.ranking.Document;
import dev.fettle.ranking.RankedRun;
import dev.fettle.ranking.Retriever;
import dev.fettle.ranking.VectorIndex;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A collection's texts as a base model reads them, its prefixes before them, and rankings by their vectors. */
final class RankTexts {
  /** How many documents of a ranking are kept. */
  static final int DEPTH = 200;
  private static final int MARKS = 2;

  private final RankBase base;
  private final RankCollection collection;
  private final int length;
  private final Map<String, String> documents = new LinkedHashMap<>();

  /**
   * The texts that training reads are cut once, here.
   *
   * @param length tokens of a document that is ranked, the model's own marks and the prefix included
   * @param trained the same of one that is trained on
   */
  RankTexts(RankBase base, RankCollection collection, int length, int trained) {
    this.base = base;
    this.collection = collection;
    this.length = length;
    collection.data().corpus().values().forEach(document -> {
      String cut = cut(base.document() + document(document), base.model().tokenizer(), trained);
      if (!document.whole().isEmpty() && !cut.isEmpty()) {
        documents.put(document.id(), cut);
      }
    });
  }

  RankBase base() {
    return base;
  }

  RankCollection collection() {
    return collection;
  }

  /** A document as training reads it, cut; null of one that is empty. */
  String trained(String document) {
    return documents.get(document);
  }

  /** A query as the model reads it. */
  String query(String id) {
    return base.query() + collection.data().queries().get(id);
  }

  /** Something else that is sought. */
  String sought(String text) {
    return base.query() + text;
  }

  /** The title once: texts of some collections begin with it. */
  private static String document(Document document) {
    return document.text().startsWith(document.title()) ? document.text() : document.whole();
  }

  /** Vectors of all documents, in the collection's order. */
  VectorIndex index(RankBase.Embedder embedder) {
    Map<String, Document> corpus = collection.data().corpus();
    return VectorIndex.of(List.copyOf(corpus.keySet()), embedder.embed(corpus.values().stream()
        .map(d -> base.document() + document(d)).toList(), length).toArray(float[][]::new));
  }

  /** Vectors of some documents as training reads them. */
  VectorIndex index(RankBase.Embedder embedder, Collection<String> some) {
    List<String> ids = some.stream().filter(documents::containsKey).toList();
    return VectorIndex.of(ids, embedder.embed(ids.stream().map(documents::get).toList(), length).toArray(float[][]::new));
  }

  /** Vectors of queries, by their identifiers. */
  Map<String, float[]> vectors(RankBase.Embedder embedder, List<String> queries) {
    List<float[]> vectors = embedder.embed(queries.stream().map(this::query).toList(), length);
    Map<String, float[]> all = new LinkedHashMap<>();
    for (int i = 0; i < queries.size(); i++) {
      all.put(queries.get(i), vectors.get(i));
    }
    return all;
  }

  /** The rankings of queries by their vectors. */
  RankedRun run(String name, VectorIndex index, Map<String, float[]> queries) {
    Map<String, String> texts = new LinkedHashMap<>();
    Map<String, float[]> known = new HashMap<>();
    queries.forEach((id, vector) -> {
      texts.put(id, query(id));
      known.put(query(id), vector);
    });
    Retriever search = index.retriever(known::get);
    return RankedRun.of(name, texts, search, DEPTH);
  }

  /** Milliseconds that a query takes by itself, from its text to its ranking: the median of up to 20. */
  double milliseconds(VectorIndex index, RankBase.Embedder embedder) {
    List<Double> times = new ArrayList<>();
    for (String query : collection.queries().subList(0, Math.min(20, collection.queries().size()))) {
      long start = System.nanoTime();
      index.search(embedder.embed(List.of(query(query)), length).get(0), DEPTH);
      times.add(Figures.since(start) * 1000);
    }
    return Figures.median(times.stream().mapToDouble(t -> t).toArray());
  }

  /** The first words of a text that together are within a number of tokens. */
  static String cut(String text, Tokenizer tokenizer, int length) {
    String[] words = text.split("\\s+");
    int most = Math.min(words.length, length - MARKS);
    int fits = 0;
    while (fits < most) {
      int middle = (fits + most + 1) / 2;
      if (tokenizer.encode(first(words, middle)).length <= length - MARKS) {
        fits = middle;
      } else {
        most = middle - 1;
      }
    }
    return first(words, fits);
  }

  private static String first(String[] words, int count) {
    return String.join(" ", Arrays.asList(words).subList(0, count));
  }
}
