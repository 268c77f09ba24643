package dev.fettle;

import java.util.Objects;

/**
 * Plain text in which every token is trained, as in continued pre-training.
 *
 * @param text the text; not empty
 */
public record Text(String text) implements Example {
  public Text {
    Objects.requireNonNull(text, "text");
    if (text.isEmpty()) {
      throw new InvalidInputException("text is empty");
    }
  }

  @Override
  public String toString() {
    return "Text[" + text.length() + " characters]";
  }
}
