package dev.fettle.examples;

import dev.fettle.Tokenizer;
import dev.fettle.ranking.Document;
import dev.fettle.ranking.HardNegatives;
import dev.fettle.ranking.Metric;
import dev.fettle.ranking.Ranked;
import dev.fettle.ranking.RankedRun;
import dev.fettle.ranking.Ranking;
import dev.fettle.ranking.RetrievalData;
import dev.fettle.ranking.Retriever;
import dev.fettle.ranking.Scores;
import dev.fettle.ranking.Triple;
import dev.fettle.ranking.Triples;
import dev.fettle.ranking.VectorIndex;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The task of {@link Rank}: a collection whose queries are split, its texts cut as the model reads
 * them, and how good a model's rankings of all documents are.
 */
final class RankTask {
  /** Tokens of a text, the model's own marks included, unless the model has fewer positions. */
  static final int LENGTH = 128;
  private static final int MARKS = 2;
  /** How many documents of a ranking are kept. */
  static final int DEPTH = 200;

  private final Cranfield collection;
  private final Tokenizer tokenizer;
  private final int length;

  /** With a model's tokenizer and the number of its positions. */
  RankTask(Cranfield collection, Tokenizer tokenizer, int positions) {
    this.collection = collection;
    this.tokenizer = tokenizer;
    this.length = Math.min(LENGTH, positions);
  }

  /** Makes vectors of texts. */
  @FunctionalInterface
  interface Embedder {
    List<float[]> embed(List<String> texts, int maxTokens);
  }

  Cranfield collection() {
    return collection;
  }

  /** Rankings of all documents for all queries by the cosine of their vectors. */
  RankedRun run(String name, Embedder embedder) {
    try (VectorIndex index = index(embedder)) {
      return RankedRun.of(name, collection.all().queries(), retriever(index, embedder), DEPTH);
    }
  }

  /** A search for the collection's own queries, all of which become vectors at once. */
  Retriever retriever(VectorIndex index, Embedder embedder) {
    List<String> texts = List.copyOf(new LinkedHashSet<>(collection.all().queries().values()));
    List<float[]> vectors = embedder.embed(texts, length);
    Map<String, float[]> known = new HashMap<>();
    for (int i = 0; i < texts.size(); i++) {
      known.put(texts.get(i), vectors.get(i));
    }
    return index.retriever(known::get);
  }

  /** The documents' texts, each with its title as it begins with it anyway. */
  VectorIndex index(Embedder embedder) {
    Map<String, Document> corpus = collection.all().corpus();
    return VectorIndex.of(List.copyOf(corpus.keySet()),
        embedder.embed(corpus.values().stream().map(Document::text).toList(), length).toArray(float[][]::new));
  }

  /** nDCG@10 of each query of a part. */
  Scores scores(RankedRun run, String part) {
    RetrievalData data = collection.part(part);
    return Ranking.of(data.qrels(), run.only(data.queries().keySet())).complete().score(Metric.ndcg(10));
  }

  /** Judged pairs of a part with negatives of each search, texts cut as the model would cut them. */
  Triples judged(RetrievalData part, int each, Retriever... searches) {
    List<Document> texts = part.corpus().values().stream().map(d -> new Document(d.id(), "", cut(d.text()))).toList();
    RetrievalData cut = RetrievalData.of(texts, part.queries(), part.qrels());
    Triples triples = cut.pairs();
    for (Retriever search : searches) {
      triples = joined(triples, cut.triples(HardNegatives.from(search, each)));
    }
    return triples;
  }

  private static Triples joined(Triples some, Triples others) {
    List<Triple> all = new ArrayList<>();
    for (int i = 0; i < some.size(); i++) {
      Triple triple = some.all().get(i);
      List<String> negatives = new ArrayList<>(triple.negatives());
      others.all().get(i).negatives().stream().filter(n -> !negatives.contains(n)).forEach(negatives::add);
      all.add(new Triple(triple.query(), triple.positive(), negatives));
    }
    return Triples.of(all);
  }

  /** Titles with the texts that follow them, of documents that have both. */
  Triples titles() {
    List<Triple> pairs = new ArrayList<>();
    for (Document document : collection.all().corpus().values()) {
      String rest = document.text().startsWith(document.title())
          ? document.text().substring(document.title().length()).strip() : document.text();
      if (!document.title().isEmpty() && !rest.isEmpty()) {
        pairs.add(Triple.of(document.title(), cut(rest)));
      }
    }
    return Triples.of(pairs);
  }

  /** The first words of a text that together are within the length. */
  String cut(String text) {
    String[] words = text.split("\\s+");
    int fits = 0;
    int most = Math.min(words.length, length - MARKS);
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

  /** How many tokens a batch has; each text counts once, as it is read once. */
  long tokens(List<Ranked> batch) {
    Set<String> texts = new HashSet<>();
    batch.forEach(ranked -> {
      texts.add(ranked.query());
      texts.addAll(ranked.texts());
    });
    return texts.stream().mapToLong(text -> MARKS + tokenizer.encode(text).length).sum();
  }
}
