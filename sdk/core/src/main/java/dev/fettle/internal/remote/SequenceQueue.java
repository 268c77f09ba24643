package dev.fettle.internal.remote;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;

/** Work one after the other, in the order in which it comes, on borrowed threads. */
final class SequenceQueue {
  private final Executor executor;
  private final Deque<Runnable> queue = new ArrayDeque<>();
  private boolean running;
  private volatile Thread current;

  SequenceQueue(Executor executor) {
    this.executor = executor;
  }

  /** Work from within the work, such as from a custom loss, is done at once: waiting for it would never end. */
  <T> CompletableFuture<T> submit(Callable<T> work) {
    CompletableFuture<T> future = new CompletableFuture<>();
    Runnable task = () -> {
      try {
        future.complete(work.call());
      } catch (Throwable e) {
        future.completeExceptionally(e);
      }
    };
    if (Thread.currentThread() == current) {
      task.run();
      return future;
    }
    synchronized (queue) {
      queue.add(task);
      if (!running) {
        running = true;
        try {
          executor.execute(this::run);
        } catch (RuntimeException e) {
          running = false;
          queue.remove(task);
          throw e;
        }
      }
    }
    return future;
  }

  private void run() {
    while (true) {
      Runnable task;
      synchronized (queue) {
        task = queue.poll();
        if (task == null) {
          running = false;
          return;
        }
      }
      current = Thread.currentThread();
      try {
        task.run();
      } finally {
        current = null;
      }
    }
  }
}
