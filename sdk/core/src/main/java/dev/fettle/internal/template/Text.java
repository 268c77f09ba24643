package dev.fettle.internal.template;

import java.util.Arrays;

/** A text in which each character knows its origin. Immutable; equal to every text of the same characters. */
public final class Text {
  static final Text EMPTY = new Text("", new int[0], new Origin[0], false);

  private final String chars;
  private final int[] ends;
  private final Origin[] origins;
  private final boolean safe;

  Text(String chars, int[] ends, Origin[] origins, boolean safe) {
    this.chars = chars;
    this.ends = ends;
    this.origins = origins;
    this.safe = safe;
  }

  /** A text of one origin. */
  public static Text of(String chars, Origin origin) {
    return chars.isEmpty() ? EMPTY : new Text(chars, new int[] {chars.length()}, new Origin[] {origin}, false);
  }

  /** A text of the template itself. */
  static Text of(String chars) {
    return of(chars, Origin.TEMPLATE);
  }

  /** A text that the interpreter made. */
  static Text computed(String chars) {
    return of(chars, new Origin(Origin.NOBODY, Origin.Field.COMPUTED));
  }

  /** The number of runs, each of one origin. */
  public int runs() {
    return ends.length;
  }

  /** Where a run ends, in Java's characters. */
  public int end(int run) {
    return ends[run];
  }

  /** Where a run begins. */
  public int start(int run) {
    return run == 0 ? 0 : ends[run - 1];
  }

  /** The origin of a run. */
  public Origin origin(int run) {
    return origins[run];
  }

  /** The origin of one of Java's characters. */
  Origin originAt(int index) {
    return origins[run(index)];
  }

  private int run(int index) {
    int found = Arrays.binarySearch(ends, index);
    return found >= 0 ? found + 1 : -found - 1;
  }

  /** Python's length: code points. */
  int length() {
    return chars.codePointCount(0, chars.length());
  }

  boolean isEmpty() {
    return chars.isEmpty();
  }

  /** Whether it counts as markup already, as after the filter {@code safe}. */
  boolean safe() {
    return safe;
  }

  Text asSafe(boolean value) {
    return safe == value ? this : new Text(chars, ends, origins, value);
  }

  /** Java's characters from {@code from} to {@code to}. */
  Text cut(int from, int to) {
    if (from >= to) {
      return EMPTY.asSafe(safe);
    } else if (from == 0 && to == chars.length()) {
      return this;
    }
    int first = run(from);
    int last = run(to - 1);
    int[] cutEnds = new int[last - first + 1];
    for (int i = 0; i < cutEnds.length; i++) {
      cutEnds[i] = Math.min(ends[first + i], to) - from;
    }
    return new Text(chars.substring(from, to), cutEnds, Arrays.copyOfRange(origins, first, last + 1), safe);
  }

  Text cut(int from) {
    return cut(from, chars.length());
  }

  /** This text with the characters of another text, and the origin of its own beginning, where one was computed whole. */
  Text rewritten(String other) {
    return other.equals(chars) ? this
        : of(other, isEmpty() ? Origin.TEMPLATE : untrusted()).asSafe(safe);
  }

  /** The first origin that is not trusted, or else the first. */
  private Origin untrusted() {
    for (Origin origin : origins) {
      if (!origin.trusted()) {
        return origin;
      }
    }
    return origins[0];
  }

  Text plus(Text other) {
    return isEmpty() ? other : other.isEmpty() ? this : new TextBuilder().append(this).append(other).text();
  }

  /** The characters alone. */
  public String chars() {
    return chars;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Text text && text.chars.equals(chars);
  }

  @Override
  public int hashCode() {
    return chars.hashCode();
  }

  @Override
  public String toString() {
    return chars;
  }
}
