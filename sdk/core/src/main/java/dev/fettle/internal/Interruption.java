package dev.fettle.internal;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/**
 * What happens to work that can be saved when the process is told to end by Ctrl-C or SIGTERM: the work is asked to stop,
 * and the process ends when it is closed. A second signal ends the process at once, and so does {@code System.exit} as
 * ever: whoever calls it may be what the work waits for. While nothing is open, signals are as they are without Fettle.
 */
public final class Interruption implements AutoCloseable {
  private static final Set<Interruption> OPEN = new LinkedHashSet<>();
  /** The names that the JVM gives the threads that handle the signals which end it, and their numbers. */
  private static final Map<String, Integer> HANDLERS = Map.of("SIGHUP handler", 1, "SIGINT handler", 2, "SIGTERM handler", 15);
  private static final int SIGNAL_EXIT = 128;
  private static final long LONGEST_NANOS = TimeUnit.HOURS.toNanos(1);
  /** How long a program may take for its own last words after its work was saved. */
  private static final long PARTING_NANOS = TimeUnit.SECONDS.toNanos(2);
  private static final long PAUSE_MILLIS = 20;
  private static Thread hook;
  private static volatile boolean asked;

  private final Thread worker = Thread.currentThread();
  private final Supplier<String> said;
  private final boolean awaited;

  private Interruption(Supplier<String> said, boolean awaited) {
    this.said = said;
    this.awaited = awaited;
  }

  /**
   * Has the end of the process wait for this thread's work, which looks at {@link #asked()} after each step.
   *
   * @param said at once when the signal comes
   */
  public static Interruption awaiting(String said) {
    return new Interruption(() -> said, true).begun();
  }

  /** Says something when the signal comes, without waiting: what is finished is saved already. */
  public static Interruption saying(Supplier<String> said) {
    return new Interruption(said, false).begun();
  }

  /** Whether the process was told to end. */
  public static boolean asked() {
    return asked;
  }

  private Interruption begun() {
    synchronized (OPEN) {
      OPEN.add(this);
      if (hook == null) {
        Thread fresh = new Thread(Interruption::ending, "fettle-ending");
        try {
          Runtime.getRuntime().addShutdownHook(fresh);
          hook = fresh;
        } catch (IllegalStateException e) {
          // The process is ending already, and the earlier hook saw to it that others know.
        }
      }
    }
    return this;
  }

  @Override
  public void close() {
    synchronized (OPEN) {
      OPEN.remove(this);
      if (OPEN.isEmpty() && hook != null) {
        try {
          Runtime.getRuntime().removeShutdownHook(hook);
          hook = null;
        } catch (IllegalStateException e) {
          // The process is ending, and the hook runs.
        }
      }
    }
  }

  private static void ending() {
    List<Integer> signals = signals();
    if (signals.isEmpty()) {
      return;
    }
    asked = true;
    List<Interruption> open = open();
    open.forEach(i -> say(i.said.get()));
    List<Thread> workers = open.stream().filter(i -> i.awaited).map(i -> i.worker).distinct().toList();
    pauseWhile(() -> open().stream().anyMatch(i -> i.awaited && i.worker.isAlive()), LONGEST_NANOS, signals.get(0));
    pauseWhile(() -> workers.stream().anyMatch(Thread::isAlive), PARTING_NANOS, signals.get(0));
  }

  private static List<Interruption> open() {
    synchronized (OPEN) {
      return List.copyOf(OPEN);
    }
  }

  private static void pauseWhile(BooleanSupplier condition, long mostNanos, int signal) {
    long start = System.nanoTime();
    while (condition.getAsBoolean() && System.nanoTime() - start < mostNanos) {
      if (signals().size() > 1) {
        Runtime.getRuntime().halt(SIGNAL_EXIT + signal);
      }
      try {
        Thread.sleep(PAUSE_MILLIS);
      } catch (InterruptedException e) {
        return;
      }
    }
  }

  /** The signals whose threads wait for the end of the process: they last until it comes. */
  private static List<Integer> signals() {
    return Thread.getAllStackTraces().keySet().stream().map(t -> HANDLERS.get(t.getName())).filter(Objects::nonNull).toList();
  }

  private static void say(String text) {
    System.err.println((Status.isTerminal() ? System.lineSeparator() : "") + text);
  }
}
