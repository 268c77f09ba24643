package dev.fettle.internal.remote;

import dev.fettle.internal.wire.RequestFutures;
import dev.fettle.internal.wire.WireException;

/**
 * Work that the service has taken on.
 *
 * @param what it is, in words
 * @param type the service's name for its kind
 * @param seconds how long the submission took
 * @param since when it was submitted, by {@link System#nanoTime}
 */
record PendingRequest(String requestId, String what, String type, double seconds, long since) {
  /** From the answer to a submission, which has to name the request. */
  static PendingRequest of(RetryingClient calls, ApiResponse answer, String what, String type, long startNanos) {
    RequestFutures.Submitted submitted = calls.read(answer, what, RequestFutures.Submitted.class);
    if (submitted.requestId() == null) {
      throw calls.problems().strange(what, new WireException("no request_id"));
    }
    return new PendingRequest(submitted.requestId(), what, type, (System.nanoTime() - startNanos) / 1e9, startNanos);
  }

  /** Submits work whose body does not change, until the service answers. */
  static PendingRequest submit(RetryingClient calls, ApiRequest ask, String type) {
    long start = System.nanoTime();
    return of(calls, calls.require(ask), ask.what(), type, start);
  }
}
