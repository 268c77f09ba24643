package dev.fettle.internal.text;

/** Python's idea of white space, which the templates are written in. */
final class PythonText {
  private PythonText() {}

  /** {@code str.strip()}. */
  static String strip(String text) {
    int start = 0;
    int end = text.length();
    while (start < end && isSpace(text.charAt(start))) {
      start++;
    }
    while (end > start && isSpace(text.charAt(end - 1))) {
      end--;
    }
    return text.substring(start, end);
  }

  /** {@code str.strip("\n")} on the chosen ends. */
  static String stripLineBreaks(String text, boolean left, boolean right) {
    int start = 0;
    int end = text.length();
    while (left && start < end && text.charAt(start) == '\n') {
      start++;
    }
    while (right && end > start && text.charAt(end - 1) == '\n') {
      end--;
    }
    return text.substring(start, end);
  }

  private static boolean isSpace(char c) {
    return Character.isWhitespace(c) || Character.isSpaceChar(c) || c == '\u0085';
  }
}
