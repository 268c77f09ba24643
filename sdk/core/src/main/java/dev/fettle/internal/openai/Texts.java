package dev.fettle.internal.openai;

import dev.fettle.internal.json.JsonNode;

/** What texts have to be. */
final class Texts {
  private Texts() {}

  /**
   * Tokens where there might be a text.
   *
   * @param field of the request
   * @param place in it
   */
  static int[] ids(JsonNode tokens, String field, String place, int vocabulary) {
    if (!tokens.isArray() || tokens.isEmpty()) {
      throw ApiError.invalid(field, place + " is " + Fields.excerpt(tokens) + ": give a text, or at least one token");
    }
    int[] ids = new int[tokens.size()];
    for (int i = 0; i < ids.length; i++) {
      JsonNode id = tokens.get(i);
      if (!id.isIntegralNumber() || !id.canConvertToInt() || id.intValue() < 0 || id.intValue() >= vocabulary) {
        throw ApiError.invalid(field, place + "[" + i + "] is " + Fields.excerpt(id) + ": give token ids, 0 to " + (vocabulary - 1)
            + ", or a text");
      }
      ids[i] = id.intValue();
    }
    return ids;
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
