package dev.fettle.internal;

import dev.fettle.FettleException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/** Waiting for futures without checked exceptions. */
public final class Futures {
  private Futures() {}

  /** The result; the error that the work ended with is thrown as it was. */
  public static <T> T join(CompletableFuture<T> future) {
    try {
      return future.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new FettleException("interrupted while waiting; what was begun goes on to its end", e);
    } catch (ExecutionException e) {
      throw unwrapped(e);
    }
  }

  /** The same for work that an interrupt gives up where that can be done: samples of a service. */
  public static <T> T joinOrGiveUp(CompletableFuture<T> future) {
    try {
      return join(future);
    } finally {
      if (Thread.currentThread().isInterrupted()) {
        future.cancel(true);
      }
    }
  }

  /** The same for work that must have ended when this returns; an interrupt meanwhile is kept for later. */
  public static <T> T joinUninterrupted(CompletableFuture<T> future) {
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return future.get();
        } catch (InterruptedException e) {
          interrupted = true;
        } catch (ExecutionException e) {
          throw unwrapped(e);
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private static RuntimeException unwrapped(ExecutionException e) {
    if (e.getCause() instanceof FettleException cause) {
      StackTraces.toCaller(cause);
      return cause;
    } else if (e.getCause() instanceof RuntimeException cause) {
      return cause;
    } else if (e.getCause() instanceof Error cause) {
      throw cause;
    }
    return new FettleException(e.getCause().getMessage(), e.getCause());
  }
}
