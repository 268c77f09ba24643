package dev.fettle.internal.template;

import java.util.function.IntPredicate;

/** Takes characters off the ends of texts. */
final class Strip {
  private Strip() {}

  /** {@code str.strip()} on the chosen ends; {@code chars} is None for white space. */
  static Text strip(Text text, Object chars, boolean left, boolean right) {
    IntPredicate off = Chars::isSpace;
    if (chars instanceof Text set) {
      off = c -> set.chars().indexOf(c) >= 0;
    } else if (chars != null) {
      throw TemplateException.type("strip arg must be None or str");
    }
    String all = text.chars();
    int start = 0;
    int end = all.length();
    while (left && start < end && off.test(all.codePointAt(start))) {
      start += Character.charCount(all.codePointAt(start));
    }
    while (right && end > start && off.test(all.codePointBefore(end))) {
      end -= Character.charCount(all.codePointBefore(end));
    }
    return text.cut(start, end);
  }

  static String spaces(String text) {
    return strip(Text.of(text), null, true, true).chars();
  }
}
