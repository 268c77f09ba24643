package dev.fettle.internal.local;

import dev.fettle.ClosedException;
import dev.fettle.internal.Daemons;
import dev.fettle.internal.Futures;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * The one thread on which all native work runs, in the order in which it comes: libtorch keeps a team of threads for
 * each thread that calls it, and trainings that share weights must not overlap.
 */
public final class EngineThread {
  private static final EngineThread INSTANCE = new EngineThread();

  private final ExecutorService executor = Executors.newSingleThreadExecutor(Daemons.named("fettle-engine"));
  private volatile Thread thread;

  /** The thread. */
  public static EngineThread get() {
    return INSTANCE;
  }

  /**
   * Work that comes from the engine thread itself, such as from within a custom loss or after a future, is done at
   * once: whoever waited for it there would wait for ever.
   */
  <T> CompletableFuture<T> submit(Callable<T> work) {
    CompletableFuture<T> future = new CompletableFuture<>();
    if (Thread.currentThread() == thread) {
      complete(future, work);
    } else {
      executor.execute(() -> {
        thread = Thread.currentThread();
        complete(future, work);
      });
    }
    return future;
  }

  /** Work that is done once all that waits is done, also if it comes from the engine thread. */
  void later(Runnable work) {
    executor.execute(() -> {
      thread = Thread.currentThread();
      work.run();
    });
  }

  /** Does work there and waits for its result. */
  public <T> T call(Callable<T> work) {
    return Futures.join(submit(work));
  }

  /** Does work to its end, also for a thread that has been interrupted: what is closed is closed when this returns. */
  public void run(Runnable work) {
    Futures.joinUninterrupted(submit(() -> {
      work.run();
      return null;
    }));
  }

  static void requireOpen(boolean open, String what) {
    if (!open) {
      throw new ClosedException(what + " is closed");
    }
  }

  private static <T> void complete(CompletableFuture<T> future, Callable<T> work) {
    try {
      future.complete(work.call());
    } catch (Throwable e) {
      future.completeExceptionally(e);
    }
  }
}
