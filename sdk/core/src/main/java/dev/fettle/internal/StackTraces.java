package dev.fettle.internal;

import java.io.IOException;
import java.util.Arrays;

/**
 * Stack traces of errors that are for people: they begin with the public call that failed. The system property
 * {@code fettle.stack=full} keeps the frames within the library.
 */
public final class StackTraces {
  private static final String INTERNAL = StackTraces.class.getPackageName() + ".";
  private static final String PACKAGE = "dev.fettle.";

  private StackTraces() {}

  /** Takes off the top what the library did within the call. */
  public static void shorten(Throwable error) {
    if (!isFull()) {
      error.setStackTrace(shortened(error.getStackTrace()));
    }
  }

  /** Leaves of what a network call failed by the message alone: its frames are those of sockets, and fill a page. */
  public static void silence(Throwable cause) {
    for (Throwable at = cause; at instanceof IOException && !isFull(); at = at.getCause()) {
      at.setStackTrace(new StackTraceElement[0]);
    }
  }

  /** For an error of another thread: shows who waited for it, not what that thread did. */
  static void toCaller(Throwable error) {
    if (!isFull()) {
      error.setStackTrace(shortened(new Throwable().getStackTrace()));
    }
  }

  private static StackTraceElement[] shortened(StackTraceElement[] frames) {
    int outermost = 0;
    for (int i = 0; i < frames.length && (isLibrary(frames[i]) || isJava(frames[i])); i++) {
      outermost = isLibrary(frames[i]) ? i : outermost;
    }
    return Arrays.copyOfRange(frames, outermost, frames.length);
  }

  private static boolean isLibrary(StackTraceElement frame) {
    String name = frame.getClassName();
    return name.startsWith(PACKAGE) && name.indexOf('.', PACKAGE.length()) < 0 || name.startsWith(INTERNAL);
  }

  private static boolean isJava(StackTraceElement frame) {
    return frame.getClassName().startsWith("java.") || frame.getClassName().startsWith("jdk.");
  }

  private static boolean isFull() {
    return "full".equals(System.getProperty("fettle.stack"));
  }
}
