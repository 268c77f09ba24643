package dev.fettle.internal.local;

import dev.fettle.ClosedException;
import dev.fettle.internal.Futures;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * The one thread on which all native work runs, in the order in which it comes: libtorch keeps a team of threads for
 * each thread that calls it, and trainings that share weights must not overlap.
 */
final class EngineThread {
  private static final EngineThread INSTANCE = new EngineThread();

  private final ExecutorService executor = Executors.newSingleThreadExecutor(work -> {
    Thread thread = new Thread(work, "fettle-engine");
    thread.setDaemon(true);
    return thread;
  });
  private volatile Thread thread;

  static EngineThread get() {
    return INSTANCE;
  }

  <T> CompletableFuture<T> submit(Callable<T> work) {
    CompletableFuture<T> future = new CompletableFuture<>();
    executor.execute(() -> {
      thread = Thread.currentThread();
      try {
        future.complete(work.call());
      } catch (Throwable e) {
        future.completeExceptionally(e);
      }
    });
    return future;
  }

  <T> T call(Callable<T> work) {
    if (Thread.currentThread() == thread) {
      return Futures.join(inline(work));
    }
    return Futures.join(submit(work));
  }

  void run(Runnable work) {
    call(() -> {
      work.run();
      return null;
    });
  }

  static void requireOpen(boolean open, String what) {
    if (!open) {
      throw new ClosedException(what + " is closed");
    }
  }

  private static <T> CompletableFuture<T> inline(Callable<T> work) {
    CompletableFuture<T> future = new CompletableFuture<>();
    try {
      future.complete(work.call());
    } catch (Throwable e) {
      future.completeExceptionally(e);
    }
    return future;
  }
}
