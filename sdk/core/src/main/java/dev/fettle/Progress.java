package dev.fettle;

import dev.fettle.internal.Daemons;
import dev.fettle.internal.Gibibytes;
import dev.fettle.internal.Linux;
import dev.fettle.internal.OneLine;
import dev.fettle.internal.ProgressMeter;
import dev.fettle.internal.Status;
import java.io.PrintStream;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * One live line on {@code System.out} about something that takes long: steps done, mean loss of the last steps (a
 * tenth of those done, at most ten), tokens a second, resident memory, time left.
 *
 * <pre>{@code
 * try (Progress progress = Progress.of("train", batches.count())) {
 *   for (Batch batch : batches) {
 *     progress.step(training.step(batch, Loss.crossEntropy(), settings).loss(), batch.tokens());
 *   }
 * }
 * }</pre>
 *
 * <p>In a terminal, in JShell and in notebooks the line is rewritten in place. Elsewhere, as in a log file, a plain line comes
 * every few seconds, and one at the end. Loading, sampling, embedding, validation and what reads data before the first step show
 * a line by themselves when they take more than two seconds, which is gone when they are done; in a log those that take more
 * than five seconds have plain lines. These are on {@code System.err}, but in JShell and notebooks, where that looks like an
 * error. The system property {@code fettle.progress=off} switches all of it off, and what is said of sequences that are too
 * long with it; {@code fettle.progress=err} sends all of it to {@code System.err}.
 * Thread-safe; {@link #close()} ends the line.
 */
public final class Progress implements AutoCloseable {
  private static final long REWRITE = 100_000_000;
  private static final long REPEAT = 5_000_000_000L;
  private static final long PATIENCE = 2_000_000_000;
  private static final long SNIPPET_REWRITE = 500_000_000;
  /** The loss shown is the mean over one in so many steps done, the last ones, and over so many at most. */
  private static final int LOSS_SHARE = 10;
  private static final int MOST_LOSSES = 10;

  private final String what;
  private final @Nullable PrintStream out;
  private final boolean terminal;
  private final long repeat;
  private final long patience;
  private final LongSupplier clock;
  private final long start;
  private final boolean passing;
  private final ProgressMeter meter;
  private final Runnable watcher = this::waiting;
  private final Deque<Double> losses = new ArrayDeque<>();
  private long written;
  private long writtenAt;
  private int width;
  private boolean closed;

  Progress(String what, long total, boolean passing, @Nullable PrintStream out, boolean terminal, LongSupplier nanoTime) {
    this(what, total, passing, out, terminal ? REWRITE : 0, nanoTime);
  }

  /**
   * A line.
   *
   * @param rewrite after how many nanoseconds it is rewritten in place; 0 where it cannot be
   */
  private Progress(String what, long total, boolean passing, @Nullable PrintStream out, long rewrite, LongSupplier nanoTime) {
    this.what = Objects.requireNonNull(what, "what");
    this.out = out;
    this.terminal = rewrite > 0;
    this.repeat = terminal ? rewrite : REPEAT;
    this.patience = terminal ? PATIENCE : REPEAT;
    this.clock = nanoTime;
    this.start = nanoTime.getAsLong();
    this.writtenAt = start;
    this.passing = passing;
    this.meter = new ProgressMeter(nanoTime).expect(total, total);
    if (total < 0) {
      throw new InvalidInputException("total " + total + ": give the number of steps, or 0 if it is not known");
    }
  }

  /**
   * A line that begins with a word.
   *
   * @param what the word, such as {@code train}
   * @param total how many steps there will be; 0 if that is not known, and no time left is shown
   * @throws InvalidInputException if the total is negative
   */
  public static Progress of(String what, long total) {
    return here(what, total, false).watching();
  }

  private static Progress here(String what, long total, boolean passing) {
    boolean snippet = Status.isSnippet();
    return new Progress(what, total, passing, stream(passing, snippet), Status.isTerminal() ? REWRITE : snippet ? SNIPPET_REWRITE : 0,
        System::nanoTime);
  }

  /** Shows from now on why a service lets this process wait. */
  Progress watching() {
    Status.watch(watcher);
    return this;
  }

  private synchronized void waiting() {
    if (!Status.waiting().isEmpty() || terminal) {
      write(clock.getAsLong());
    }
  }

  /** Counts a step, with its loss per unit of weight and the number of tokens that it read. */
  public void step(LossResult loss, long tokensRead) {
    step(Objects.requireNonNull(loss, "loss").meanLoss(), tokensRead);
  }

  /** Counts a step, with a loss, NaN if there is none, and the number of tokens that it read. */
  public synchronized void step(double meanLoss, long tokensRead) {
    meter.add(1, 1, tokensRead);
    if (Double.isFinite(meanLoss)) {
      losses.addLast(meanLoss);
      while (losses.size() > Math.max(1, Math.min(MOST_LOSSES, meter.done() / LOSS_SHARE))) {
        losses.removeFirst();
      }
    }
    long now = clock.getAsLong();
    boolean early = passing && now - start < patience;
    if (!early && (meter.isDone() || now - writtenAt >= repeat)) {
      write(now);
    }
  }

  /** Shows the last state if it was not shown yet, and ends the line. Idempotent. */
  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    long now = clock.getAsLong();
    if (written < meter.done() && !(passing && now - start < REPEAT)) {
      write(now);
    }
    closed = true;
    Status.unwatch(watcher);
    if (terminal && out != null && width > 0) {
      out.print(passing ? "\r" + " ".repeat(width) + "\r" : System.lineSeparator());
      out.flush();
    }
  }

  /**
   * A line about something that other work waits for, such as a validation within a training: nothing is shown in the first
   * two seconds, nothing stays in a terminal, and in a log only the end of what took more than five seconds.
   *
   * @param what the word, such as {@code validate}
   * @param total how many steps there will be; 0 if that is not known
   * @throws InvalidInputException if the total is negative
   */
  public static Progress passing(String what, long total) {
    return here(what, total, true).watching();
  }

  /** Does what tells a meter how far it is; after two seconds a line shows it. */
  static <T> T watch(String what, Function<ProgressMeter, T> work) {
    if (Status.isOff()) {
      return work.apply(new ProgressMeter());
    }
    return passing(what, 0).during(work);
  }

  <T> T during(Function<ProgressMeter, T> work) {
    ScheduledFuture<?> ticks = Clock.TICKS.scheduleWithFixedDelay(this::tick, patience, repeat, TimeUnit.NANOSECONDS);
    try {
      return work.apply(meter);
    } finally {
      ticks.cancel(false);
      close();
    }
  }

  /** Its thread begins with its first use and keeps no process from ending. */
  private static final class Clock {
    private static final ScheduledThreadPoolExecutor TICKS = new ScheduledThreadPoolExecutor(1, Daemons.named("fettle-progress"));

    static {
      // Many short calls would pile up for two seconds.
      TICKS.setRemoveOnCancelPolicy(true);
    }
  }

  synchronized void tick() {
    write(clock.getAsLong());
  }

  /** What nobody asked for must not get among the results that a program prints. */
  static @Nullable PrintStream stream(boolean passing, boolean snippet) {
    if (Status.isOff()) {
      return null;
    }
    return passing && !snippet || "err".equalsIgnoreCase(System.getProperty("fettle.progress")) ? System.err : System.out;
  }

  @Override
  public synchronized String toString() {
    return OneLine.of("Progress", what + " " + meter.count());
  }

  private void write(long now) {
    if (out == null || closed) {
      return;
    }
    written = meter.done();
    writtenAt = now;
    String line = line();
    if (terminal) {
      out.print("\r" + line + " ".repeat(Math.max(0, width - line.length())));
      out.flush();
      width = line.length();
    } else {
      out.println(line);
    }
  }

  private String line() {
    StringBuilder line = new StringBuilder(what);
    if (!meter.count().isEmpty()) {
      line.append(' ').append(meter.count());
    }
    append(line, losses.isEmpty() ? "" : String.format(Locale.ROOT, "loss %.4f",
        losses.stream().mapToDouble(Double::doubleValue).average().orElseThrow()));
    append(line, meter.rate());
    long resident = Linux.HERE.residentBytes().orElse(0);
    append(line, resident <= 0 ? "" : Gibibytes.of(resident) + " GiB");
    append(line, meter.time());
    append(line, Status.doing());
    append(line, Status.waiting().isEmpty() ? "" : "waits: " + Status.waiting());
    return line.toString();
  }

  private static void append(StringBuilder line, String part) {
    line.append(part.isEmpty() ? "" : "  ").append(part);
  }
}
