package dev.fettle.internal.remote;

import dev.fettle.internal.wire.Promises;

/**
 * Work that the service has taken on.
 *
 * @param what it is, in words
 * @param type the service's name for its kind
 * @param seconds how long the submission took
 * @param since when it was submitted, by {@link System#nanoTime}
 */
record Promise(String requestId, String what, String type, double seconds, long since) {
  static Promise of(Promises.Submitted submitted, String what, String type, long startNanos) {
    return new Promise(submitted.requestId(), what, type, (System.nanoTime() - startNanos) / 1e9, startNanos);
  }
}
