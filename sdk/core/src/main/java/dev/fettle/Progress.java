package dev.fettle;

import dev.fettle.internal.Gibibytes;
import dev.fettle.internal.Linux;
import dev.fettle.internal.OneLine;
import dev.fettle.internal.ProgressMeter;
import dev.fettle.internal.Status;
import java.io.PrintStream;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * One live line on {@code System.out} about something that takes long: steps done, smoothed loss, tokens a second,
 * resident memory, time left.
 *
 * <pre>{@code
 * try (Progress progress = Progress.of("train", batches.count())) {
 *   for (Batch batch : batches) {
 *     progress.step(training.step(batch, Loss.crossEntropy(), settings).loss(), batch.tokens());
 *   }
 * }
 * }</pre>
 *
 * <p>In a terminal the line is rewritten in place. Elsewhere, as in a notebook or a log file, a plain line comes every few
 * seconds, and one at the end. Loading, sampling, embedding, validation and what reads data before the first step show a
 * line by themselves when they take more than two seconds, on {@code System.err}; in a terminal it is gone when they are
 * done. The system property {@code fettle.progress=off} switches all of it off, and what is said of sequences that are too
 * long with it; {@code fettle.progress=err} sends all of it to {@code System.err}.
 * Thread-safe; {@link #close()} ends the line.
 */
public final class Progress implements AutoCloseable {
  private static final long REWRITE = 100_000_000;
  private static final long REPEAT = 5_000_000_000L;
  private static final long PATIENCE = 2_000_000_000;
  private static final double MEMORY_OF_LOSS = 0.9;

  private final String what;
  private final @Nullable PrintStream out;
  private final boolean terminal;
  private final LongSupplier clock;
  private final long start;
  private final boolean passing;
  private final ProgressMeter meter;
  private final Runnable watcher = this::waiting;
  private double lossSum;
  private double lossWeight;
  private long written;
  private long writtenAt;
  private int width;
  private boolean closed;

  Progress(String what, long total, boolean passing, @Nullable PrintStream out, boolean terminal, LongSupplier nanoTime) {
    this.what = Objects.requireNonNull(what, "what");
    this.out = out;
    this.terminal = terminal;
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
    return new Progress(what, total, false, stream(false), Status.isTerminal(), System::nanoTime).watching();
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
      lossSum = MEMORY_OF_LOSS * lossSum + meanLoss;
      lossWeight = MEMORY_OF_LOSS * lossWeight + 1;
    }
    long now = clock.getAsLong();
    boolean early = passing && now - start < PATIENCE;
    if (!early && (meter.isDone() || now - writtenAt >= (terminal ? REWRITE : REPEAT))) {
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
    return new Progress(what, total, true, stream(true), Status.isTerminal(), System::nanoTime).watching();
  }

  /** Does what tells a meter how far it is; after two seconds a line shows it. */
  static <T> T watch(String what, Function<ProgressMeter, T> work) {
    if (Status.isOff()) {
      return work.apply(new ProgressMeter());
    }
    return passing(what, 0).during(work);
  }

  <T> T during(Function<ProgressMeter, T> work) {
    ScheduledFuture<?> ticks = Clock.TICKS.scheduleWithFixedDelay(this::tick, PATIENCE, terminal ? REWRITE : REPEAT,
        TimeUnit.NANOSECONDS);
    try {
      return work.apply(meter);
    } finally {
      ticks.cancel(false);
      close();
    }
  }

  /** Its thread begins with its first use and keeps no process from ending. */
  private static final class Clock {
    private static final ScheduledThreadPoolExecutor TICKS = new ScheduledThreadPoolExecutor(1, task -> {
      Thread thread = new Thread(task, "fettle-progress");
      thread.setDaemon(true);
      return thread;
    });

    static {
      // Many short calls would pile up for two seconds.
      TICKS.setRemoveOnCancelPolicy(true);
    }
  }

  synchronized void tick() {
    write(clock.getAsLong());
  }

  /** What nobody asked for must not get among the results that a program prints. */
  static @Nullable PrintStream stream(boolean passing) {
    if (Status.isOff()) {
      return null;
    }
    return passing || "err".equalsIgnoreCase(System.getProperty("fettle.progress")) ? System.err : System.out;
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
    append(line, lossWeight == 0 ? "" : String.format(Locale.ROOT, "loss %.4f", lossSum / lossWeight));
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
