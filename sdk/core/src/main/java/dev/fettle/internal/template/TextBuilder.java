package dev.fettle.internal.template;

import java.util.Arrays;

/** Puts texts together, up to a size that no honest template reaches. */
final class TextBuilder {
  private static final int MOST = 1 << 23;

  private final StringBuilder chars = new StringBuilder();
  private int[] ends = new int[8];
  private Origin[] origins = new Origin[8];
  private int runs;

  TextBuilder append(Text text) {
    room(chars.length() + (long) text.chars().length());
    for (int i = 0; i < text.runs(); i++) {
      run(chars.length() + text.end(i), text.origin(i));
    }
    chars.append(text.chars());
    return this;
  }

  /** Part of a text, in Java's characters. */
  TextBuilder append(Text text, int from, int to) {
    return append(text.cut(from, to));
  }

  TextBuilder append(String text, Origin origin) {
    room(chars.length() + (long) text.length());
    if (!text.isEmpty()) {
      run(chars.length() + text.length(), origin);
      chars.append(text);
    }
    return this;
  }

  /** Refuses a text that would be longer than any may be. */
  static void room(long length) {
    if (length > MOST) {
      throw new TemplateException("a text of more than " + MOST + " characters");
    }
  }

  private void run(int end, Origin origin) {
    if (runs > 0 && origins[runs - 1].equals(origin)) {
      ends[runs - 1] = end;
      return;
    }
    if (runs == ends.length) {
      ends = Arrays.copyOf(ends, runs * 2);
      origins = Arrays.copyOf(origins, runs * 2);
    }
    ends[runs] = end;
    origins[runs++] = origin;
  }

  int length() {
    return chars.length();
  }

  Text text() {
    return text(false);
  }

  Text text(boolean safe) {
    return new Text(chars.toString(), Arrays.copyOf(ends, runs), Arrays.copyOf(origins, runs), safe);
  }
}
