package dev.fettle.internal;

import java.io.Console;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;

/** What this process can tell of itself. */
public final class Status {
  private static final Map<Object, String> WAITING = Collections.synchronizedMap(new LinkedHashMap<>());
  private static final Map<Object, String> DOING = new ConcurrentHashMap<>();
  private static final Set<Runnable> WATCHERS = ConcurrentHashMap.newKeySet();

  /** The package that JShell puts what is typed into. */
  private static final String SNIPPETS = "REPL.";

  private Status() {}

  /** Notes why someone waits, such as for a queue that is paused; null when that is over. */
  public static void waiting(Object who, String why) {
    String before = why == null ? WAITING.remove(who) : WAITING.put(who, why);
    if (why == null ? before != null : !why.equals(before)) {
      WATCHERS.forEach(Runnable::run);
    }
  }

  /** Why everyone waits who does, whoever began first in front; empty if nobody does. */
  public static String waiting() {
    synchronized (WAITING) {
      return WAITING.values().stream().distinct().collect(Collectors.joining("; "));
    }
  }

  /** Why someone waits; empty if he does not. */
  public static String waitingOf(Object who) {
    return WAITING.getOrDefault(who, "");
  }

  /** Notes how far someone is with what a progress line waits for, such as a download; null when that is over. */
  public static void doing(Object who, String what) {
    if (what == null) {
      DOING.remove(who);
    } else {
      DOING.put(who, what);
    }
  }

  /** How far someone is; empty if there is nothing to say. */
  public static String doing() {
    return DOING.values().stream().findFirst().orElse("");
  }

  /** Whether the system property {@code fettle.progress=off} keeps this process from telling anything. */
  public static boolean isOff() {
    return "off".equalsIgnoreCase(System.getProperty("fettle.progress"));
  }

  /** Writes a line for people that is no result, beside live lines. */
  public static void say(String line) {
    if (!isOff()) {
      boolean amidALine = isTerminal() && !WATCHERS.isEmpty();
      System.err.println((amidALine ? System.lineSeparator() : "") + line);
    }
  }

  /** Calls back whenever {@link #waiting()} changes, until {@link #unwatch}. */
  public static void watch(Runnable watcher) {
    WATCHERS.add(watcher);
  }

  /** Ends {@link #watch}. */
  public static void unwatch(Runnable watcher) {
    WATCHERS.remove(watcher);
  }

  /** Whether this is called by what someone typed into JShell, or into a cell of a notebook, whose kernels are built on it. */
  public static boolean isSnippet() {
    return StackWalker.getInstance().walk(frames -> frames.anyMatch(frame -> frame.getClassName().startsWith(SNIPPETS)));
  }

  /** Whether a person sees what is written, so that a line can be rewritten. */
  public static boolean isTerminal() {
    Console console = System.console();
    if (console == null) {
      return false;
    }
    // From Java 22 there may be a console without a terminal, and a method that tells.
    try {
      return (boolean) Console.class.getMethod("isTerminal").invoke(console);
    } catch (ReflectiveOperationException e) {
      return true;
    }
  }
}
