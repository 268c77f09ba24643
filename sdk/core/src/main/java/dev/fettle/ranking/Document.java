package dev.fettle.ranking;

import dev.fettle.internal.OneLine;
import java.util.Objects;

/**
 * A document of a collection.
 *
 * @param id its identifier
 * @param title may be empty
 * @param text may be empty
 */
public record Document(String id, String title, String text) {
  public Document {
    Objects.requireNonNull(id, "id");
    Objects.requireNonNull(title, "title");
    Objects.requireNonNull(text, "text");
  }

  /** Title and text, apart by a space; what BEIR's own programs give to a model. */
  public String whole() {
    return title.isEmpty() ? text : text.isEmpty() ? title : title + " " + text;
  }

  @Override
  public String toString() {
    return OneLine.of("Document", id + ", " + whole());
  }
}
