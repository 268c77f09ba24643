package dev.fettle.internal.template;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Python's ways to take a text apart. */
final class Splits {
  private Splits() {}

  /** {@code str.split} and {@code str.rsplit}; a negative {@code most} is no limit. */
  static Seq split(Text text, Object separator, int most, boolean fromRight) {
    if (separator == null) {
      return Seq.list(fromRight ? wordsFromRight(text, most) : words(text, most));
    }
    String sep = TextMethods.text(separator, "split").chars();
    if (sep.isEmpty()) {
      throw TemplateException.type("empty separator");
    }
    List<Object> parts = new ArrayList<>();
    String chars = text.chars();
    if (fromRight) {
      int end = chars.length();
      for (int at = chars.lastIndexOf(sep); at >= 0 && (most < 0 || parts.size() < most);) {
        parts.add(text.cut(at + sep.length(), end));
        end = at;
        at = at - sep.length() < 0 ? -1 : chars.lastIndexOf(sep, at - sep.length());
      }
      parts.add(text.cut(0, end));
      Collections.reverse(parts);
      return Seq.list(parts);
    }
    int from = 0;
    for (int at = chars.indexOf(sep); at >= 0 && (most < 0 || parts.size() < most); at = chars.indexOf(sep, from)) {
      parts.add(text.cut(from, at));
      from = at + sep.length();
    }
    parts.add(text.cut(from));
    return Seq.list(parts);
  }

  private static List<Object> words(Text text, int most) {
    List<Object> words = new ArrayList<>();
    String chars = text.chars();
    int from = after(chars, 0, true);
    while (from < chars.length()) {
      int end = most >= 0 && words.size() == most ? chars.length() : after(chars, from, false);
      words.add(text.cut(from, end));
      from = after(chars, end, true);
    }
    return words;
  }

  private static List<Object> wordsFromRight(Text text, int most) {
    List<Object> words = new ArrayList<>();
    String chars = text.chars();
    int end = before(chars, chars.length(), true);
    while (end > 0) {
      int from = most >= 0 && words.size() == most ? 0 : before(chars, end, false);
      words.add(text.cut(from, end));
      end = before(chars, from, true);
    }
    Collections.reverse(words);
    return words;
  }

  /** Where spaces, or what is none, end. */
  private static int after(String chars, int from, boolean spaces) {
    int end = from;
    while (end < chars.length() && Chars.isSpace(chars.charAt(end)) == spaces) {
      end++;
    }
    return end;
  }

  private static int before(String chars, int to, boolean spaces) {
    int start = to;
    while (start > 0 && Chars.isSpace(chars.charAt(start - 1)) == spaces) {
      start--;
    }
    return start;
  }

  static Seq lines(Text text, boolean keepEnds) {
    List<Object> lines = new ArrayList<>();
    String chars = text.chars();
    int from = 0;
    while (from < chars.length()) {
      int end = from;
      while (end < chars.length() && !Chars.isLineEnd(chars.charAt(end))) {
        end++;
      }
      int next = Math.min(chars.length(), end + (chars.startsWith("\r\n", end) ? 2 : 1));
      lines.add(text.cut(from, keepEnds ? next : end));
      from = next;
    }
    return Seq.list(lines);
  }

  static Seq partition(Text text, Text separator, boolean last) {
    if (separator.isEmpty()) {
      throw TemplateException.type("empty separator");
    }
    int at = last ? text.chars().lastIndexOf(separator.chars()) : text.chars().indexOf(separator.chars());
    if (at < 0) {
      return last ? Seq.tuple(Text.EMPTY, Text.EMPTY, text) : Seq.tuple(text, Text.EMPTY, Text.EMPTY);
    }
    int end = at + separator.chars().length();
    return Seq.tuple(text.cut(0, at), text.cut(at, end), text.cut(end));
  }
}
