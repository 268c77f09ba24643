package dev.fettle.internal.template;

/** Python's idea of characters. */
final class Chars {
  private Chars() {}

  static boolean isSpace(int c) {
    return c >= 9 && c <= 13 || c >= 0x1c && c <= 0x20 || c == 0x85 || c == 0xa0 || c == 0x1680
        || c >= 0x2000 && c <= 0x200a || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
  }

  /** Whether {@code str.splitlines()} ends a line there. */
  static boolean isLineEnd(char c) {
    return c >= 10 && c <= 13 || c >= 0x1c && c <= 0x1e || c == 0x85 || c == 0x2028 || c == 0x2029;
  }

  static boolean isPrintable(int c) {
    return c == ' ' || switch (Character.getType(c)) {
      case Character.CONTROL, Character.FORMAT, Character.SURROGATE, Character.PRIVATE_USE, Character.UNASSIGNED,
          Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR, Character.SPACE_SEPARATOR -> false;
      default -> true;
    };
  }

  static boolean isAlphabetic(int c) {
    return switch (Character.getType(c)) {
      case Character.UPPERCASE_LETTER, Character.LOWERCASE_LETTER, Character.TITLECASE_LETTER, Character.MODIFIER_LETTER,
          Character.OTHER_LETTER -> true;
      default -> false;
    };
  }

  static boolean isDigit(int c) {
    return Character.getType(c) == Character.DECIMAL_DIGIT_NUMBER || c == 0xb2 || c == 0xb3 || c == 0xb9
        || c == 0x2070 || c >= 0x2074 && c <= 0x2079 || c >= 0x2080 && c <= 0x2089;
  }

  static boolean isNumeric(int c) {
    return isDigit(c) || switch (Character.getType(c)) {
      case Character.LETTER_NUMBER, Character.OTHER_NUMBER -> true;
      default -> false;
    };
  }

  static boolean isCased(int c) {
    return Character.isUpperCase(c) || Character.isLowerCase(c) || Character.isTitleCase(c);
  }

  /** Whether a text is a name in Python. */
  static boolean isIdentifier(String text) {
    return !text.isEmpty() && text.codePoints().allMatch(c -> c == '_' || Character.isUnicodeIdentifierPart(c)
        && !Character.isIdentifierIgnorable(c))
        && (text.charAt(0) == '_' || Character.isUnicodeIdentifierStart(text.codePointAt(0)));
  }

  /** Python's {@code repr} of a text. */
  static void repr(Text text, TextBuilder out) {
    String chars = text.chars();
    char quote = chars.indexOf('\'') >= 0 && chars.indexOf('"') < 0 ? '"' : '\'';
    Origin frame = new Origin(Origin.NOBODY, Origin.Field.COMPUTED);
    out.append(String.valueOf(quote), frame);
    int plain = 0;
    for (int i = 0; i < chars.length(); ) {
      int c = chars.codePointAt(i);
      int next = i + Character.charCount(c);
      if (c == quote || c == '\\' || !isPrintable(c)) {
        out.append(text, plain, i).append(escaped(c, quote), text.originAt(i));
        plain = next;
      }
      i = next;
    }
    out.append(text, plain, chars.length()).append(String.valueOf(quote), frame);
  }

  private static String escaped(int c, char quote) {
    return c == quote || c == '\\' ? "\\" + (char) c : c == '\n' ? "\\n" : c == '\r' ? "\\r" : c == '\t' ? "\\t"
        : c < 0x100 ? String.format("\\x%02x", c) : c < 0x10000 ? String.format("\\u%04x", c)
        : String.format("\\U%08x", c);
  }
}
