package dev.fettle.ranking;

import dev.fettle.InvalidInputException;
import dev.fettle.internal.NoNulls;
import dev.fettle.internal.OneLine;
import dev.fettle.internal.ranking.Orders;
import dev.fettle.internal.ranking.TrecFiles;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * The documents that one system found for each query: what TREC calls a run. Within a query they are in trec_eval's
 * order: by score, the highest first, and equal scores by identifier, in descending order of its UTF-8. Scores are
 * double precision, as in trec_eval 10; the order in which documents are given, or a rank in a file, counts for
 * nothing. Immutable and thread-safe.
 */
public final class RankedRun {
  private final String name;
  private final Map<String, List<Hit>> rankings;

  private RankedRun(String name, Map<String, List<Hit>> rankings) {
    this.name = Objects.requireNonNull(name, "name");
    if (rankings.isEmpty()) {
      throw new InvalidInputException("run " + name + " has no query");
    }
    this.rankings = Collections.unmodifiableMap(Orders.byQuery(name, rankings));
  }

  /**
   * Reads TREC's form: lines of query, a field that is ignored, document, rank (ignored), score, name of the run, apart
   * by white space; what follows is ignored. The name is that of the last line. Lines that begin with {@code #} and
   * blank ones are skipped; {@code .gz} is unpacked.
   *
   * @throws InvalidInputException with file and line if a line has fewer than six fields, a score is not a number, or a
   *     document is there twice for a query; or if the file is missing or empty
   */
  public static RankedRun trec(Path file) {
    TrecFiles.Run run = TrecFiles.run(Objects.requireNonNull(file, "file"));
    return new RankedRun(run.name(), run.rankings());
  }

  /**
   * Scores in memory.
   *
   * @param scores by query, then document
   */
  public static RankedRun of(String name, Map<String, ? extends Map<String, ? extends Number>> scores) {
    Map<String, List<Hit>> rankings = new HashMap<>();
    NoNulls.in(scores, "scores").forEach((query, documents) -> {
      List<Hit> hits = new ArrayList<>();
      NoNulls.in(documents, "scores[" + query + "]").forEach((document, score) ->
          hits.add(new Hit(document, score.doubleValue())));
      rankings.put(query, hits);
    });
    return new RankedRun(name, rankings);
  }

  /**
   * Searches for each query.
   *
   * @param queries the texts by identifier
   * @param count how many documents are wanted for each
   * @throws InvalidInputException if a document is found twice for a query
   */
  public static RankedRun of(String name, Map<String, String> queries, Retriever retriever, int count) {
    Objects.requireNonNull(retriever, "retriever");
    if (count < 1) {
      throw new InvalidInputException("count = " + count + ": must be at least 1");
    }
    Map<String, List<Hit>> rankings = new HashMap<>();
    NoNulls.in(queries, "queries").forEach((query, text) -> rankings.put(query,
        NoNulls.in(NoNulls.given(retriever.search(text, count), "the retriever", "query " + query), "hits of query " + query)));
    return new RankedRun(name, rankings);
  }

  /** The name of the system or run. */
  public String name() {
    return name;
  }

  /** The queries, in the order of their UTF-8. */
  public Set<String> queries() {
    return rankings.keySet();
  }

  /** A query's documents, the best first; empty if the run does not have it. */
  public List<Hit> ranking(String query) {
    return rankings.getOrDefault(Objects.requireNonNull(query, "query"), List.of());
  }

  /** The rankings of some of the queries. */
  public RankedRun only(Collection<String> queries) {
    Map<String, List<Hit>> kept = new HashMap<>(rankings);
    kept.keySet().retainAll(new HashSet<>(NoNulls.in(queries, "queries")));
    return new RankedRun(name, kept);
  }

  /** The rankings with some documents taken out; the ones below move up. */
  public RankedRun without(Collection<String> documents) {
    Set<String> gone = new HashSet<>(NoNulls.in(documents, "documents"));
    Map<String, List<Hit>> kept = new HashMap<>();
    rankings.forEach((query, hits) ->
        kept.put(query, hits.stream().filter(hit -> !gone.contains(hit.document())).toList()));
    return new RankedRun(name, kept);
  }

  /** This under another name. */
  public RankedRun named(String other) {
    return new RankedRun(Objects.requireNonNull(other, "other"), rankings);
  }

  /**
   * Writes or replaces a file in TREC's form, whole or not at all; scores with as many digits as they need.
   *
   * @throws InvalidInputException if a name has white space in it, which the form cannot hold
   */
  public void writeTrec(Path file) {
    TrecFiles.writeRun(Objects.requireNonNull(file, "file"), name, rankings);
  }

  Map<String, List<Hit>> rankings() {
    return rankings;
  }

  @Override
  public String toString() {
    int hits = rankings.values().stream().mapToInt(List::size).sum();
    return OneLine.of("RankedRun", name + ", " + rankings.size() + " queries, " + hits + " documents");
  }
}
