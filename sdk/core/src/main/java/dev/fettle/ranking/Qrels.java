package dev.fettle.ranking;

import dev.fettle.InvalidInputException;
import dev.fettle.internal.NoNulls;
import dev.fettle.internal.ranking.BeirFiles;
import dev.fettle.internal.ranking.TrecFiles;
import dev.fettle.internal.ranking.Utf8Order;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Collections;
import java.util.HashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Judgements: how relevant a document is to a query, as a whole number. 0 is judged and not relevant; a negative one
 * means that the document was chosen for judging but not judged, and counts as not relevant, as in trec_eval.
 * Immutable and thread-safe.
 */
public final class Qrels {
  private final SortedMap<String, Map<String, Integer>> grades;
  private final int count;

  private Qrels(Map<String, ? extends Map<String, Integer>> grades) {
    SortedMap<String, Map<String, Integer>> sorted = new TreeMap<>(Utf8Order.ASCENDING);
    grades.forEach((query, documents) -> {
      if (!NoNulls.in(documents, "grades[" + query + "]").isEmpty()) {
        SortedMap<String, Integer> copy = new TreeMap<>(Utf8Order.ASCENDING);
        copy.putAll(documents);
        sorted.put(query, Collections.unmodifiableSortedMap(copy));
      }
    });
    if (sorted.isEmpty()) {
      throw new InvalidInputException("no judgement: give at least one");
    }
    this.grades = Collections.unmodifiableSortedMap(sorted);
    this.count = sorted.values().stream().mapToInt(Map::size).sum();
  }

  /**
   * Reads TREC's form: lines of query, a field that is ignored, document, grade, apart by white space. Lines that begin
   * with {@code #} and blank ones are skipped; {@code .gz} is unpacked.
   *
   * @throws InvalidInputException with file and line if a line has not four fields, a grade is not a whole number, or a
   *     document is judged twice for a query; or if the file is missing or empty
   */
  public static Qrels trec(Path file) {
    return new Qrels(TrecFiles.qrels(Objects.requireNonNull(file, "file")));
  }

  /**
   * Reads BEIR's form: a first line of names, then lines of query, document, grade, apart by tabs.
   *
   * @throws InvalidInputException as {@link #trec(Path)} does
   */
  public static Qrels beir(Path file) {
    return new Qrels(BeirFiles.qrels(Objects.requireNonNull(file, "file")));
  }

  /**
   * Judgements in memory.
   *
   * @param grades by query, then document
   * @throws InvalidInputException if there is none
   */
  public static Qrels of(Map<String, ? extends Map<String, Integer>> grades) {
    return new Qrels(NoNulls.in(grades, "grades"));
  }

  /** The queries that have a judgement, in the order of their UTF-8. */
  public Set<String> queries() {
    return grades.keySet();
  }

  /** The grades of a query's documents; empty if it has none. */
  public Map<String, Integer> grades(String query) {
    return grades.getOrDefault(Objects.requireNonNull(query, "query"), Map.of());
  }

  /**
   * The judgements of some of the queries.
   *
   * @throws InvalidInputException if none is left
   */
  public Qrels only(Collection<String> queries) {
    Map<String, Map<String, Integer>> kept = new TreeMap<>(grades);
    kept.keySet().retainAll(new HashSet<>(NoNulls.in(queries, "queries")));
    return new Qrels(kept);
  }

  /**
   * The judgements without some documents; queries that lose all go too.
   *
   * @throws InvalidInputException if none is left
   */
  public Qrels without(Collection<String> documents) {
    Set<String> gone = new HashSet<>(NoNulls.in(documents, "documents"));
    Map<String, Map<String, Integer>> kept = new TreeMap<>();
    grades.forEach((query, judged) -> {
      Map<String, Integer> rest = new TreeMap<>(judged);
      rest.keySet().removeAll(gone);
      kept.put(query, rest);
    });
    return new Qrels(kept);
  }

  /** Writes or replaces a file in TREC's form, whole or not at all. */
  public void writeTrec(Path file) {
    TrecFiles.writeQrels(Objects.requireNonNull(file, "file"), grades);
  }

  /** Writes or replaces a file in BEIR's form, whole or not at all. */
  public void writeBeir(Path file) {
    BeirFiles.writeQrels(Objects.requireNonNull(file, "file"), grades);
  }

  Map<String, Map<String, Integer>> grades() {
    return grades;
  }

  @Override
  public String toString() {
    return "Qrels[" + grades.size() + " queries, " + count + " judgements]";
  }
}
