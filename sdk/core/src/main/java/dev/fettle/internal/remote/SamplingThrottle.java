package dev.fettle.internal.remote;

import dev.fettle.internal.Status;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;

/** How many samples are asked for at a time: fewer, and later, after the service said that it was too much. */
final class SamplingThrottle {
  private static final int DISPATCHES = 400;
  private static final int CAREFUL_DISPATCHES = 10;
  private static final long LARGE = 131_072;
  private static final int CAREFUL_COST = 20;
  private static final int BYTES_PER_TOKEN = 10;

  private final RetryingClient calls;
  private final Semaphore requests;
  private final Semaphore dispatches = new Semaphore(DISPATCHES);
  private final Semaphore careful = new Semaphore(CAREFUL_DISPATCHES);
  private final ByteBudget bytes;
  private final AtomicLong pausedUntil = new AtomicLong(System.nanoTime());

  SamplingThrottle(RetryingClient calls, int requests, long bytes) {
    this.calls = calls;
    this.requests = new Semaphore(requests);
    this.bytes = new ByteBudget(bytes);
  }

  /** Takes the place of a whole request, until {@link #leave}. */
  void enter() {
    requests.acquireUninterruptibly();
  }

  void leave() {
    requests.release();
  }

  /** Sends a sampling request until it is taken; the same one each time. */
  ApiResponse dispatch(ApiRequest ask, int tokens) {
    long size = (long) BYTES_PER_TOKEN * tokens;
    try {
      while (true) {
        long wait = (pausedUntil.get() - System.nanoTime()) / 1_000_000;
        if (wait > 0) {
          Status.waiting(ask, "sampling: the service asks for fewer requests at a time");
          calls.workers().sleep(Math.min(wait, 2 * calls.patience().unit()));
          continue;
        }
        boolean wary = System.nanoTime() - pausedUntil.get() < 20 * calls.patience().unit() * 1_000_000 && paused;
        ApiResponse answer = once(ask, wary ? CAREFUL_COST * size : size, wary);
        if (answer.status() != 429) {
          return answer;
        }
        paused = true;
        long pause = RetryingClient.hint(answer).orElse(calls.patience().unit() * (size > LARGE ? 10 : 2));
        pausedUntil.accumulateAndGet(System.nanoTime() + pause * 1_000_000, Math::max);
      }
    } finally {
      Status.waiting(ask, null);
    }
  }

  private volatile boolean paused;

  private ApiResponse once(ApiRequest ask, long cost, boolean wary) {
    dispatches.acquireUninterruptibly();
    if (wary) {
      careful.acquireUninterruptibly();
    }
    bytes.take(cost);
    try {
      return calls.send(ask, calls.patience().budget(), status -> status == 429).answer();
    } finally {
      bytes.give(cost);
      if (wary) {
        careful.release();
      }
      dispatches.release();
    }
  }
}
