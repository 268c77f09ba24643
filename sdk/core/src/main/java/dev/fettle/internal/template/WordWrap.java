package dev.fettle.internal.template;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/** Python's {@code textwrap.wrap} of one line, without breaks at hyphens. */
final class WordWrap {
  private WordWrap() {}

  static List<Object> lines(Text line, int width, boolean breaksLongWords) {
    Deque<Text> chunks = chunks(line);
    List<Object> lines = new ArrayList<>();
    while (!chunks.isEmpty()) {
      if (isSpace(chunks.peek()) && !lines.isEmpty()) {
        chunks.pop();
      }
      Deque<Text> taken = new ArrayDeque<>();
      int length = 0;
      while (!chunks.isEmpty() && length + chunks.peek().length() <= width) {
        length += chunks.peek().length();
        taken.add(chunks.pop());
      }
      if (!chunks.isEmpty() && chunks.peek().length() > width) {
        if (breaksLongWords) {
          Text word = chunks.pop();
          int at = word.chars().offsetByCodePoints(0, width - length);
          taken.add(word.cut(0, at));
          chunks.push(word.cut(at));
        } else if (taken.isEmpty()) {
          taken.add(chunks.pop());
        }
      }
      if (!taken.isEmpty() && isSpace(taken.peekLast())) {
        taken.removeLast();
      }
      if (!taken.isEmpty()) {
        TextBuilder out = new TextBuilder();
        taken.forEach(out::append);
        lines.add(out.text());
      }
    }
    return lines;
  }

  private static boolean isSpace(Text chunk) {
    return Strip.spaces(chunk.chars()).isEmpty();
  }

  private static Deque<Text> chunks(Text line) {
    Deque<Text> chunks = new ArrayDeque<>();
    String chars = line.chars();
    for (int from = 0; from < chars.length(); ) {
      int to = from;
      boolean space = Chars.isSpace(chars.charAt(from));
      while (to < chars.length() && Chars.isSpace(chars.charAt(to)) == space) {
        to++;
      }
      chunks.add(line.cut(from, to));
      from = to;
    }
    return chunks;
  }
}
