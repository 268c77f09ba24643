package dev.fettle.ranking;

import dev.fettle.InvalidInputException;
import dev.fettle.internal.OneLine;
import java.util.Locale;
import java.util.Objects;

/**
 * A document that was found, and how well it fits.
 *
 * @param document its identifier
 * @param score the higher, the better; not NaN
 */
public record Hit(String document, double score) {
  public Hit {
    Objects.requireNonNull(document, "document");
    if (Double.isNaN(score)) {
      throw new InvalidInputException("the score of document " + document + " is NaN: it has no place in a ranking");
    }
  }

  @Override
  public String toString() {
    return OneLine.of("Hit", document + String.format(Locale.ROOT, " %.6g", score));
  }
}
