package dev.fettle.internal.remote;

import java.time.Duration;

/**
 * How long the client waits for what.
 *
 * @param connect for a connection
 * @param read for bytes of an answer
 * @param poll for the answer of a long poll; its end is no failure
 * @param unit the first pause after a failure, in milliseconds; it doubles up to 60 of them
 * @param firstContact how long the first request is tried again
 * @param budget how long any other request is tried again, and a poll without a word from the service
 * @param heartbeat between two signs of life
 * @param deadline for a request from its submission to its result
 */
record RetryPolicy(Duration connect, Duration read, Duration poll, long unit, Duration firstContact, Duration budget,
    Duration heartbeat, Duration deadline) {

  static RetryPolicy standard(Duration deadline) {
    return new RetryPolicy(Duration.ofSeconds(5), Duration.ofSeconds(60), Duration.ofSeconds(45), 500,
        shorter(Duration.ofSeconds(15), deadline), shorter(Duration.ofMinutes(5), deadline), Duration.ofSeconds(10), deadline);
  }

  private static Duration shorter(Duration a, Duration b) {
    return a.compareTo(b) < 0 ? a : b;
  }

  /** The pause after so many failures, in milliseconds: doubled each time, up to 30 seconds, a quarter of it random. */
  long pause(int failures) {
    double whole = unit * Math.min(60, Math.pow(2, Math.min(failures, 30)));
    return Math.round(whole * (1 - 0.25 * Math.random()));
  }
}
