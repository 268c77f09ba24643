package dev.fettle.internal.remote;

import dev.fettle.ClosedException;
import dev.fettle.FettleException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** The threads of one client: daemons, and gone soon after there is nothing to do. */
final class Workers implements AutoCloseable {
  private static final int POLLS = 32;
  private static final int SUBMISSIONS = 32;
  private static final int SAMPLES = 128;
  private static final int IDLE_SECONDS = 2;

  private final CountDownLatch closing = new CountDownLatch(1);
  private final ThreadPoolExecutor turns =
      new ThreadPoolExecutor(0, Integer.MAX_VALUE, IDLE_SECONDS, TimeUnit.SECONDS, new SynchronousQueue<>(), named("turn"));
  private final ThreadPoolExecutor polls = pool(POLLS, "poll");
  private final ThreadPoolExecutor submissions = pool(SUBMISSIONS, "submit");
  private final ThreadPoolExecutor samples = pool(SAMPLES, "sample");
  private final ScheduledThreadPoolExecutor clock = new ScheduledThreadPoolExecutor(1, named("heartbeat"));

  Workers() {
    clock.setRemoveOnCancelPolicy(true);
  }

  private static ThreadPoolExecutor pool(int threads, String name) {
    ThreadPoolExecutor pool = new ThreadPoolExecutor(threads, threads, IDLE_SECONDS, TimeUnit.SECONDS,
        new LinkedBlockingQueue<>(), named(name));
    pool.allowCoreThreadTimeOut(true);
    return pool;
  }

  private static ThreadFactory named(String name) {
    AtomicInteger count = new AtomicInteger();
    return work -> {
      Thread thread = new Thread(work, "fettle-remote-" + name + "-" + count.incrementAndGet());
      thread.setDaemon(true);
      return thread;
    };
  }

  /** For work that submits in an order of its own, and waits. */
  Executor turns() {
    return guarded(turns);
  }

  /** For results of trainings, first come first served: a server finishes them in the order of their submission. */
  Executor polls() {
    return guarded(polls);
  }

  /** For submissions that may overtake each other. */
  Executor submissions() {
    return guarded(submissions);
  }

  /** For results of samples. */
  Executor samples() {
    return guarded(samples);
  }

  private Executor guarded(Executor executor) {
    return work -> {
      try {
        executor.execute(work);
      } catch (RejectedExecutionException e) {
        throw closed();
      }
    };
  }

  /** Does something again and again. */
  void every(long millis, Runnable work) {
    clock.scheduleWithFixedDelay(work, millis, millis, TimeUnit.MILLISECONDS);
  }

  /** Waits; ends at once with an error when the client is closed. */
  void sleep(long millis) {
    try {
      if (closing.await(Math.max(0, millis), TimeUnit.MILLISECONDS)) {
        throw closed();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new FettleException("interrupted while waiting for the service", e);
    }
  }

  void requireOpen() {
    if (isClosed()) {
      throw closed();
    }
  }

  boolean isClosed() {
    return closing.getCount() == 0;
  }

  private static ClosedException closed() {
    return new ClosedException("this Fettle is closed");
  }

  /** Ends waiting and refuses new work; what is under way ends by itself when the connections are cut. */
  @Override
  public void close() {
    closing.countDown();
    clock.shutdownNow();
    turns.shutdown();
    polls.shutdown();
    submissions.shutdown();
    samples.shutdown();
  }
}
