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
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      } else if (e.getCause() instanceof Error cause) {
        throw cause;
      }
      throw new FettleException(e.getCause().getMessage(), e.getCause());
    }
  }
}
