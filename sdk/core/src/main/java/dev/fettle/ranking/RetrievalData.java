package dev.fettle.ranking;

import dev.fettle.InvalidInputException;
import dev.fettle.internal.NoNulls;
import dev.fettle.internal.data.RetrievalFiles;
import dev.fettle.internal.ranking.BeirFiles;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** A collection of documents, queries, and judgements of the ones for the others. Immutable and thread-safe. */
public final class RetrievalData {
  private final Map<String, Document> corpus;
  private final Map<String, String> queries;
  private final Qrels qrels;

  private RetrievalData(Map<String, Document> corpus, Map<String, String> queries, Qrels qrels) {
    this.corpus = corpus;
    this.queries = queries;
    this.qrels = qrels;
    if (corpus.isEmpty()) {
      throw new InvalidInputException("no document: give at least one");
    }
    List<String> unknown = qrels.queries().stream().filter(query -> !queries.containsKey(query)).limit(3).toList();
    if (!unknown.isEmpty()) {
      throw new InvalidInputException("judged queries are not among the " + queries.size() + " queries: " + unknown
          + (unknown.size() == 3 ? " and maybe others" : ""));
    }
  }

  /**
   * Reads a directory in BEIR's layout: {@code corpus.jsonl}, {@code queries.jsonl} and judgements in
   * {@code qrels/PART.tsv}, or, if there is no such directory, in {@code qrels.tsv}. Queries without a judgement of the
   * part are left out; judged documents that are not in the collection stay judged, as trec_eval would have it.
   *
   * @param part such as {@code train}, {@code dev} or {@code test}
   * @throws InvalidInputException if a file is missing or broken; the message names file and line
   */
  public static RetrievalData beir(Path directory, String part) {
    Objects.requireNonNull(directory, "directory");
    Objects.requireNonNull(part, "part");
    Path qrels = directory.resolve("qrels");
    Path judged = Files.isDirectory(qrels) ? qrels.resolve(part + ".tsv") : directory.resolve("qrels.tsv");
    return of(RetrievalFiles.corpus(present(directory, "corpus.jsonl")).values(),
        RetrievalFiles.queries(present(directory, "queries.jsonl")), Qrels.beir(judged));
  }

  /** {@link #beir(Path, String)} with the part {@code test}. */
  public static RetrievalData beir(Path directory) {
    return beir(directory, "test");
  }

  /**
   * Data in memory.
   *
   * @param queries the texts by identifier
   * @throws InvalidInputException if a judged query has no text or a document is there twice
   */
  public static RetrievalData of(Collection<Document> documents, Map<String, String> queries, Qrels qrels) {
    NoNulls.in(queries, "queries");
    Objects.requireNonNull(qrels, "qrels");
    Map<String, Document> corpus = new LinkedHashMap<>();
    for (Document document : NoNulls.in(documents, "documents")) {
      if (corpus.put(document.id(), document) != null) {
        throw new InvalidInputException("document " + document.id() + " is there twice");
      }
    }
    Map<String, String> judged = new LinkedHashMap<>(queries);
    judged.keySet().retainAll(new HashSet<>(qrels.queries()));
    return new RetrievalData(Collections.unmodifiableMap(corpus), Collections.unmodifiableMap(judged), qrels);
  }

  private static Path present(Path directory, String name) {
    Path zipped = directory.resolve(name + ".gz");
    return Files.exists(zipped) && !Files.exists(directory.resolve(name)) ? zipped : directory.resolve(name);
  }

  /** The documents by identifier. */
  public Map<String, Document> corpus() {
    return corpus;
  }

  /** The texts of the queries by identifier. */
  public Map<String, String> queries() {
    return queries;
  }

  /** The judgements. */
  public Qrels qrels() {
    return qrels;
  }

  /** The same documents with some of the queries. */
  public RetrievalData only(Collection<String> kept) {
    return of(corpus.values(), queries, qrels.only(NoNulls.in(kept, "kept")));
  }

  /** Searches for all queries; see {@link RankedRun#of(String, Map, Retriever, int)}. */
  public RankedRun run(String name, Retriever retriever, int count) {
    return RankedRun.of(name, queries, retriever, count);
  }

  /** A pair for each document with a grade of at least 1, without negatives. */
  public Triples pairs() {
    return triples((query, positives) -> List.of());
  }

  /**
   * A triple for each document with a grade of at least 1, with negatives that the search found; the same ones for all
   * positives of a query.
   */
  public Triples triples(HardNegatives mining) {
    Objects.requireNonNull(mining, "mining");
    return triples((query, text) -> mining.mine(text, qrels.grades(query)).stream().map(corpus::get)
        .filter(document -> document != null && !document.whole().isEmpty()).map(Document::whole).toList());
  }

  @FunctionalInterface
  private interface Negatives {
    List<String> of(String query, String text);
  }

  private Triples triples(Negatives negatives) {
    List<Triple> triples = new ArrayList<>();
    queries.forEach((query, text) -> {
      List<String> found = negatives.of(query, text);
      qrels.grades(query).forEach((id, grade) -> {
        Document document = corpus.get(id);
        if (grade >= 1 && document != null && !document.whole().isEmpty()) {
          triples.add(new Triple(text, document.whole(), found));
        }
      });
    });
    return Triples.of(triples);
  }

  /** Writes the collection in BEIR's layout, with the judgements as one part. Files are replaced one by one. */
  public void writeBeir(Path directory, String part) {
    Objects.requireNonNull(directory, "directory");
    Objects.requireNonNull(part, "part");
    RetrievalFiles.writeCorpus(directory.resolve("corpus.jsonl"), corpus.values());
    RetrievalFiles.writeQueries(directory.resolve("queries.jsonl"), queries);
    BeirFiles.writeQrels(directory.resolve("qrels").resolve(part + ".tsv"), qrels.grades());
  }

  @Override
  public String toString() {
    return "RetrievalData[" + corpus.size() + " documents, " + queries.size() + " queries, " + qrels + "]";
  }
}
