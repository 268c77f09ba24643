package dev.fettle.internal.openai;

import dev.fettle.Tokenizer;
import java.util.List;

/** What texts have to be. */
final class Texts {
  private Texts() {}

  /** How many tokens texts have, without those that a model puts around them, and before it cuts them. */
  static int tokens(Tokenizer tokenizer, List<String> texts) {
    return texts.stream().mapToInt(text -> tokenizer.encode(text).length).sum();
  }

  /** A text that can be written as UTF-8, as the tokenizer will want it. */
  static String unicode(String text, String place) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (Character.isHighSurrogate(c) && i + 1 < text.length() && Character.isLowSurrogate(text.charAt(i + 1))) {
        i++;
      } else if (Character.isSurrogate(c)) {
        throw ApiError.invalid(place, String.format("%s has half a surrogate pair, \\u%04x, at character %d: it is no Unicode text",
            place, (int) c, i));
      }
    }
    return text;
  }
}
