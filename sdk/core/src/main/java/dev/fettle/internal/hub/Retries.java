package dev.fettle.internal.hub;

import dev.fettle.FettleException;
import dev.fettle.ServiceException;
import java.io.IOException;
import java.net.UnknownHostException;
import java.time.Duration;

/** Tries again what failed on the way, for a while. */
final class Retries {
  private static final int ATTEMPTS = 5;
  private static final Duration LONGEST = Duration.ofMinutes(2);

  private final Duration pause;
  private final Token token;

  /** With the first pause; each one is twice as long as that before. */
  Retries(Duration pause, Token token) {
    this.pause = pause;
    this.token = token;
  }

  /** What may fail. */
  @FunctionalInterface
  interface Attempt<T> {
    T run() throws IOException;
  }

  /** Counts how much is done, so that attempts that got further are not held against it. */
  @FunctionalInterface
  interface Done {
    long bytes() throws IOException;
  }

  /**
   * The result of the first attempt that succeeds.
   *
   * @throws ServiceException if none does; it begins with the given text
   */
  <T> T run(String what, Done done, Attempt<T> attempt) {
    long before = -1;
    for (int failures = 0;;) {
      try {
        before = done.bytes();
        return attempt.run();
      } catch (IOException e) {
        requireNotInterrupted(what);
        failures = reached(done) > before ? 1 : failures + 1;
        if (failures >= ATTEMPTS || e instanceof UnknownHostException) {
          throw new ServiceException(what + ": " + token.scrub(e.getMessage() == null ? e.toString() : e.getMessage())
              + "; check the network and proxy settings, and call again: what has arrived is kept", 0, clean(e));
        }
        sleep(what, e, failures);
      }
    }
  }

  private static long reached(Done done) {
    try {
      return done.bytes();
    } catch (IOException e) {
      return -1;
    }
  }

  /** Causes are printed too. */
  private Throwable clean(IOException e) {
    return token.isPresent() && e.toString().contains(token.value()) ? null : e;
  }

  private void sleep(String what, IOException e, int failures) {
    Duration wanted = pause.multipliedBy(1L << failures - 1);
    if (e instanceof Client.Transient status && status.seconds() > 0) {
      wanted = Duration.ofSeconds(status.seconds());
    }
    try {
      Thread.sleep(Math.min(wanted.toMillis(), LONGEST.toMillis()));
    } catch (InterruptedException interrupt) {
      Thread.currentThread().interrupt();
      requireNotInterrupted(what);
    }
  }

  private static void requireNotInterrupted(String what) {
    if (Thread.currentThread().isInterrupted()) {
      throw new FettleException(what + ": interrupted; what has arrived is kept for the next call");
    }
  }
}
