package dev.fettle.internal;

import java.util.Arrays;

/**
 * Stack traces of errors that are for people: they begin with the public call that failed. The system property
 * {@code fettle.stack=full} keeps the frames within the library.
 */
public final class Traces {
  private static final String HIDDEN = Traces.class.getPackageName() + ".";

  private Traces() {}

  /** Takes the library's own frames off the top. */
  public static void shorten(Throwable error) {
    if (!isFull()) {
      error.setStackTrace(shortened(error.getStackTrace()));
    }
  }

  /** For an error of another thread: shows who waited for it, not what that thread did. */
  static void toCaller(Throwable error) {
    if (!isFull()) {
      error.setStackTrace(shortened(new Throwable().getStackTrace()));
    }
  }

  private static StackTraceElement[] shortened(StackTraceElement[] frames) {
    int first = 0;
    while (first < frames.length && frames[first].getClassName().startsWith(HIDDEN)) {
      first++;
    }
    return first == frames.length ? frames : Arrays.copyOfRange(frames, first, frames.length);
  }

  private static boolean isFull() {
    return "full".equals(System.getProperty("fettle.stack"));
  }
}
