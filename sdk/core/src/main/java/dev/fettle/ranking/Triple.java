package dev.fettle.ranking;

import dev.fettle.InvalidInputException;
import dev.fettle.internal.NoNulls;
import dev.fettle.internal.OneLine;
import java.util.List;
import java.util.Objects;

/**
 * A query, a text that answers it, and texts that do not, for contrastive training; without negatives a pair.
 *
 * @param query not empty
 * @param positive not empty
 * @param negatives may be empty, but none of them
 */
public record Triple(String query, String positive, List<String> negatives) {
  public Triple {
    require(Objects.requireNonNull(query, "query"), "query");
    require(Objects.requireNonNull(positive, "positive"), "positive");
    negatives = List.copyOf(NoNulls.in(negatives, "negatives"));
    negatives.forEach(negative -> require(negative, "a negative"));
  }

  /** A pair. */
  public static Triple of(String query, String positive) {
    return new Triple(query, positive, List.of());
  }

  private static void require(String text, String what) {
    if (text.isEmpty()) {
      throw new InvalidInputException(what + " is empty");
    }
  }

  @Override
  public String toString() {
    return OneLine.of("Triple", query + " | " + positive + " | " + negatives.size() + " negatives");
  }
}
