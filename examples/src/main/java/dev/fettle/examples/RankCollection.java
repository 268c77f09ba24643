package dev.fettle.examples;

import dev.fettle.InvalidInputException;
import dev.fettle.internal.Digests;
import dev.fettle.ranking.RetrievalData;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * A collection whose queries are dealt into folds for cross-validation. Neighbours stay together: a fold is a run of
 * queries in the order of their numbers, since neighbouring queries often stem from one paper and share documents.
 * Immutable.
 *
 * @param name the directory's
 * @param data documents, queries and judgements
 * @param folds how many there are
 */
record RankCollection(String name, RetrievalData data, int folds) {
  private static final int FEWEST_FOLDS = 3;

  RankCollection {
    if (folds < FEWEST_FOLDS || data.queries().size() < folds) {
      throw new InvalidInputException(name + " has " + data.queries().size() + " judged queries for " + folds
          + " folds: give 3 folds or more, and at most as many as there are queries; one is tested, one chooses the "
          + "settings, the others train");
    }
  }

  /** Reads a directory in BEIR's layout, or one with such a directory {@code beir} in it. */
  static RankCollection read(Path directory, int folds) {
    Path beir = directory.resolve("beir");
    return new RankCollection(directory.toAbsolutePath().normalize().getFileName().toString(),
        RetrievalData.beir(Files.isDirectory(beir) ? beir : directory), folds);
  }

  /** All judged queries in the order of their numbers, those without a number by their text. */
  List<String> queries() {
    Comparator<String> numbers = Comparator.comparingLong(RankCollection::number);
    return data.queries().keySet().stream().sorted(numbers.thenComparing(Comparator.naturalOrder())).toList();
  }

  private static long number(String id) {
    String digits = id.replaceAll("\\D", "");
    return digits.isEmpty() || digits.length() > 18 ? Long.MAX_VALUE : Long.parseLong(digits);
  }

  /** The queries of a fold, counted from 0. */
  List<String> fold(int fold) {
    List<String> all = queries();
    return all.subList(fold * all.size() / folds, (fold + 1) * all.size() / folds);
  }

  /** The fold that settings are chosen by when another one is tested. */
  int chooser(int fold) {
    return (fold + 1) % folds;
  }

  /** The queries of all folds but these. */
  List<String> without(Integer... left) {
    List<String> rest = new ArrayList<>();
    for (int fold = 0; fold < folds; fold++) {
      if (!List.of(left).contains(fold)) {
        rest.addAll(fold(fold));
      }
    }
    return rest;
  }

  /** The documents that are relevant to one of the queries. */
  Set<String> relevant(List<String> to) {
    Set<String> documents = new TreeSet<>();
    to.forEach(query -> data.qrels().grades(query).forEach((document, grade) -> {
      if (grade >= 1 && data.corpus().containsKey(document)) {
        documents.add(document);
      }
    }));
    return documents;
  }

  /** What tells it from other collections. */
  String digest() {
    StringBuilder all = new StringBuilder();
    data.corpus().values().forEach(d -> all.append(d.id()).append('\t').append(d.title()).append('\t').append(d.text())
        .append('\n'));
    queries().forEach(q -> all.append(q).append('\t').append(data.queries().get(q)).append('\t')
        .append(data.qrels().grades(q)).append('\n'));
    return Digests.sha256(all.toString());
  }

  @Override
  public String toString() {
    return name + ": " + data.corpus().size() + " documents, " + data.queries().size() + " judged queries";
  }
}
