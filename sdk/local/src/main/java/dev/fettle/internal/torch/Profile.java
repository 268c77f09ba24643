package dev.fettle.internal.torch;

import java.util.Map;
import java.util.TreeMap;

/**
 * Where the time of native calls goes, by kernel. Off until {@link #start()}; one profile at a time in a process.
 * Thread-safe.
 */
public final class Profile {
  private static volatile Map<String, Long> nanoseconds;

  private Profile() {}

  /** Begins to count. */
  public static synchronized void start() {
    nanoseconds = new TreeMap<>();
  }

  /** Ends counting; the nanoseconds within each kernel that was called since the start. */
  public static synchronized Map<String, Long> stop() {
    Map<String, Long> counted = nanoseconds == null ? Map.of() : nanoseconds;
    nanoseconds = null;
    return counted;
  }

  static boolean on() {
    return nanoseconds != null;
  }

  static synchronized void add(String kernel, long time) {
    if (nanoseconds != null) {
      nanoseconds.merge(kernel, time, Long::sum);
    }
  }
}
