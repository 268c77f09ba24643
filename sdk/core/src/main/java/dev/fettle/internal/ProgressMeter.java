package dev.fettle.internal;

import java.util.Locale;
import java.util.function.LongSupplier;

/**
 * How far something long is: told by whoever does it, shown by whoever waits for it. Work is what time goes by, in any
 * unit; what is counted may be something else, such as samples where work is tokens. Thread-safe.
 */
public final class ProgressMeter {
  private static final long MEGA = 1_000_000;

  private final LongSupplier clock;
  private boolean inBytes;
  private long start;
  private long total;
  private long done;
  private long work;
  private long worked;
  private long tokens;

  /** A meter by the system's clock. */
  public ProgressMeter() {
    this(System::nanoTime);
  }

  /** A meter by a clock that counts nanoseconds. */
  public ProgressMeter(LongSupplier nanoTime) {
    this.clock = nanoTime;
    this.start = nanoTime.getAsLong();
  }

  /** Begins: so many will be counted, with so much work in all; 0 where that is not known. */
  public synchronized ProgressMeter expect(long count, long ofWork) {
    start = clock.getAsLong();
    total = count;
    work = ofWork;
    done = 0;
    worked = 0;
    tokens = 0;
    return this;
  }

  /** Begins: so many bytes will be moved. */
  public synchronized ProgressMeter expectBytes(long bytes) {
    inBytes = true;
    return expect(bytes, bytes);
  }

  /** Counts what was done, the work that it was, and the tokens that were read or made. */
  public synchronized void add(long count, long ofWork, long ofTokens) {
    done += count;
    worked += ofWork;
    tokens += ofTokens;
  }

  /** Counts bytes that were moved. */
  public void addBytes(long bytes) {
    add(bytes, bytes, 0);
  }

  /** What was counted. */
  public synchronized long done() {
    return done;
  }

  /** The tokens that were read or made. */
  public synchronized long tokens() {
    return tokens;
  }

  /** Whether all is done that was expected. */
  public synchronized boolean isDone() {
    return total > 0 && done >= total;
  }

  /** What was done of what, such as {@code 3/8} or {@code 120/500 MB}; empty if there is nothing to say. */
  public synchronized String count() {
    if (done == 0 && total == 0) {
      return "";
    }
    long unit = inBytes ? MEGA : 1;
    return done / unit + (total > 0 ? "/" + total / unit : "") + (inBytes ? " MB" : "");
  }

  /** How fast it goes; empty if there is nothing to say. */
  public synchronized String rate() {
    double seconds = seconds();
    double perSecond = inBytes ? done / (double) MEGA / seconds : tokens / seconds;
    return seconds > 0 && perSecond > 0
        ? String.format(Locale.ROOT, "%,.0f %s/s", perSecond, inBytes ? "MB" : "tokens") : "";
  }

  /** The time that is left or, where that is not known or all is done, how long it took; empty before anything is done. */
  public synchronized String time() {
    if (total > done && worked > 0) {
      return time(seconds() / worked * Math.max(0, work - worked)) + " left";
    }
    return done > 0 ? "in " + time(seconds()) : "";
  }

  private double seconds() {
    return (clock.getAsLong() - start) / 1e9;
  }

  private static String time(double seconds) {
    long s = Math.round(seconds);
    return s < 60 ? s + " s" : s < 3600 ? s / 60 + " min " + s % 60 + " s" : s / 3600 + " h " + s % 3600 / 60 + " min";
  }
}
