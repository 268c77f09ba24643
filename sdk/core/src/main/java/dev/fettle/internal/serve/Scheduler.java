package dev.fettle.internal.serve;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Carries work out, one piece at a time, as the engine does. Each model and each sampler has a lane: work of a lane
 * keeps its order, and lanes take turns, so that no client waits for all that another has queued.
 */
final class Scheduler implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Scheduler.class);

  private final Deque<Lane> ready = new ArrayDeque<>();
  private final Thread thread = new Thread(this::run, "fettle-serve");
  private boolean open = true;

  /** A piece of work: runs, or is dropped because its lane was closed. */
  interface Work {
    void run();

    void drop(RuntimeException reason);

    /** Why it cannot begin yet, or null. */
    default String obstacle() {
      return null;
    }
  }

  /** Work in order. */
  static class Lane {
    private final Deque<Work> waiting = new ArrayDeque<>();
    private boolean queued;
    private RuntimeException closed;

    /** Takes the next piece, and with it, where that is faster, others that wait; under the scheduler's lock. */
    Work take(Deque<Work> pieces) {
      return pieces.poll();
    }
  }

  Scheduler() {
    thread.setDaemon(true);
    thread.start();
  }

  void submit(Lane lane, Work work) {
    RuntimeException refused;
    synchronized (ready) {
      refused = open ? lane.closed : new Problem(503, "the server is shutting down");
      if (refused == null) {
        lane.waiting.add(work);
        queue(lane);
      }
    }
    if (refused != null) {
      work.drop(refused);
    }
  }

  private void queue(Lane lane) {
    if (!lane.queued && !lane.waiting.isEmpty()) {
      lane.queued = true;
      ready.add(lane);
      ready.notifyAll();
    }
  }

  /** Drops what waits in a lane, and what will come. */
  void close(Lane lane, RuntimeException reason) {
    Deque<Work> dropped;
    synchronized (ready) {
      lane.closed = reason;
      dropped = new ArrayDeque<>(lane.waiting);
      lane.waiting.clear();
    }
    dropped.forEach(work -> work.drop(reason));
  }

  /** Looks again at work that could not begin. */
  void wake() {
    synchronized (ready) {
      ready.notifyAll();
    }
  }

  private void run() {
    while (true) {
      Work work;
      Lane lane;
      synchronized (ready) {
        lane = next();
        if (lane == null) {
          return;
        }
        work = lane.take(lane.waiting);
      }
      try {
        work.run();
      } catch (Throwable e) {
        LOG.error("a piece of work", e);
      }
      synchronized (ready) {
        queue(lane);
      }
    }
  }

  /** The next lane whose first piece can begin; null once closed. */
  private Lane next() {
    while (open) {
      for (int i = ready.size(); i > 0; i--) {
        Lane lane = ready.poll();
        if (lane.waiting.isEmpty()) {
          lane.queued = false;
        } else if (lane.waiting.peek().obstacle() == null) {
          lane.queued = false;
          return lane;
        } else {
          ready.add(lane);
        }
      }
      try {
        ready.wait();
      } catch (InterruptedException e) {
        return null;
      }
    }
    return null;
  }

  /** Work of a promise. */
  static Work fulfilling(PendingRequest promise, Supplier<Object> work) {
    return new Work() {
      @Override
      public void run() {
        if (!promise.result().isDone()) {
          try {
            promise.result().complete(work.get());
          } catch (Throwable e) {
            promise.result().completeExceptionally(e);
          }
        }
      }

      @Override
      public void drop(RuntimeException reason) {
        promise.result().completeExceptionally(reason);
      }

      @Override
      public String obstacle() {
        return promise.obstacle();
      }
    };
  }

  /** Ends after the piece that runs; what waits is dropped. */
  @Override
  public void close() {
    synchronized (ready) {
      open = false;
      ready.notifyAll();
    }
    boolean interrupted = false;
    while (thread.isAlive() && Thread.currentThread() != thread) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    for (Lane lane : ready) {
      close(lane, new Problem(503, "the server has shut down"));
    }
  }
}
