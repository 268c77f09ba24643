package dev.fettle.ranking;

import dev.fettle.InvalidInputException;
import dev.fettle.internal.NoNulls;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * A query and texts that are ranked for it: one example of a {@link RankLoss}. Immutable.
 *
 * @param query what is looked for
 * @param texts the texts; the first is the one that belongs to the query where the loss knows one such, those after it
 *     are hard negatives
 * @param grades for each text how good it is for the query, or a teacher's score; empty where the loss needs none
 */
public record Ranked(String query, List<String> texts, List<Double> grades) {
  public Ranked {
    Objects.requireNonNull(query, "query");
    texts = List.copyOf(NoNulls.in(texts, "texts"));
    grades = List.copyOf(NoNulls.in(grades, "grades"));
    if (texts.isEmpty()) {
      throw new InvalidInputException("no texts for the query: give at least one");
    }
    if (!grades.isEmpty() && grades.size() != texts.size()) {
      throw new InvalidInputException(grades.size() + " grades for " + texts.size() + " texts: give one for each, or none");
    }
    for (double grade : grades) {
      if (!Double.isFinite(grade)) {
        throw new InvalidInputException("a grade is " + grade + ": give finite numbers");
      }
    }
  }

  /** A query, a text that belongs to it and, if any, hard negatives: texts that look alike and do not. */
  public static Ranked pair(String query, String positive, String... negatives) {
    List<String> texts = new ArrayList<>(List.of(Objects.requireNonNull(positive, "positive")));
    texts.addAll(List.of(NoNulls.in(negatives, "negatives")));
    return new Ranked(query, texts, List.of());
  }

  /** A query and texts with their grades. */
  public static Ranked graded(String query, List<String> texts, List<Double> grades) {
    return new Ranked(query, texts, grades);
  }

  @Override
  public String toString() {
    String shown = query.replaceAll("[\\p{Cntrl}<>]", " ");
    return "Ranked[" + (shown.length() > 50 ? shown.substring(0, 47) + "..." : shown) + ", " + texts.size() + " texts]";
  }
}
