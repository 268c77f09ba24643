package dev.fettle.internal.remote;

import dev.fettle.ServiceException;
import dev.fettle.internal.Status;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.wire.Paths;
import dev.fettle.internal.wire.RequestFutures;
import dev.fettle.internal.wire.WireException;
import dev.fettle.internal.wire.WireJson;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import java.util.function.Function;

/** Fetches results by long polling, in the caller's thread. Thread-safe. */
final class Polling {
  private static final int EMPTY_400 = 3;
  private static final long QUICK_NANOS = 50_000_000;

  private final RetryingClient calls;
  private final ByteBudget large;

  Polling(RetryingClient calls, long largeBytes) {
    this.calls = calls;
    this.large = new ByteBudget(largeBytes);
  }

  /** The service has lost the request; whoever knows how may submit it anew. */
  static final class Gone extends RuntimeException {
    private static final long serialVersionUID = 1;
    private final transient ServiceException problem;

    Gone(ServiceException problem) {
      super(problem);
      this.problem = problem;
    }

    ServiceException problem() {
      return problem;
    }
  }

  /** Waits for a result in JSON. */
  <T> T json(PendingRequest promise, Class<T> type) {
    return result(promise, false, answer -> calls.read(answer, label(promise), type));
  }

  /**
   * Waits for a result.
   *
   * @param protobuf whether it is asked for as protobuf; what comes may be JSON all the same
   * @param decode makes of the answer what is wanted
   */
  <T> T result(PendingRequest promise, boolean protobuf, Function<ApiResponse, T> decode) {
    return result(promise, protobuf, decode, () -> false);
  }

  /**
   * The same of a result that may be given up.
   *
   * @param abandoned whether nobody waits any more
   * @throws CancellationException if nobody does
   */
  <T> T result(PendingRequest promise, boolean protobuf, Function<ApiResponse, T> decode, BooleanSupplier abandoned) {
    Poll poll = new Poll(promise, protobuf, abandoned);
    try {
      return poll.run(decode);
    } finally {
      Status.waiting(poll, null);
    }
  }

  private static String label(PendingRequest promise) {
    return promise.what() + " (request " + promise.requestId() + ")";
  }

  private final class Poll {
    private final PendingRequest promise;
    private boolean protobuf;
    private boolean metadata = true;
    private long held;
    private int iteration;
    private int failures;
    private volatile boolean unreachable;
    private int quick;
    private int empty;
    private long heard = System.nanoTime();
    private final BooleanSupplier abandoned;

    Poll(PendingRequest promise, boolean protobuf, BooleanSupplier abandoned) {
      this.promise = promise;
      this.protobuf = protobuf;
      this.abandoned = abandoned;
    }

    <T> T run(Function<ApiResponse, T> decode) {
      try {
        while (true) {
          if (abandoned.getAsBoolean()) {
            throw new CancellationException(label(promise) + " was given up");
          }
          long asked = System.nanoTime();
          if (asked - promise.since() > calls.patience().deadline().toNanos()) {
            throw new ServiceException(label(promise) + " was not done by " + calls.problems().host() + " within "
                + calls.patience().deadline().toSeconds() + " s" + waiting() + "; it may still be done there. "
                + "Remote.deadline gives it more time", 408);
          }
          ApiResponse answer = ask();
          if (answer != null && done(answer)) {
            try {
              return decode.apply(answer);
            } catch (WireException e) {
              throw calls.problems().strange(label(promise), e);
            }
          }
          if (answer != null && System.nanoTime() - asked < QUICK_NANOS) {
            calls.workers().sleep(Math.min(200, calls.patience().unit() / 10 << Math.min(quick++, 2)));
          } else {
            quick = 0;
          }
        }
      } finally {
        large.give(held);
      }
    }

    private String waiting() {
      String why = Status.waitingOf(this);
      return why.isEmpty() ? "" : " (" + why + ")";
    }

    /** One poll; null if there was no answer, after a pause where that helps. */
    private ApiResponse ask() {
      ApiRequest ask = ApiRequest.post(Paths.RETRIEVE, new RequestFutures.Retrieve(promise.requestId(), metadata), label(promise))
          .with("Accept", protobuf ? Paths.PROTOBUF : Paths.JSON)
          .with(Paths.REQUEST_ITERATION, String.valueOf(iteration))
          .with(Paths.REQUEST_TYPE, promise.type()).polling(patience(), this::sent);
      if (iteration++ == 0) {
        ask = ask.with(Paths.ROUNDTRIP_TIME, String.valueOf(promise.seconds()));
      }
      try {
        ApiResponse answer = calls.once(ask);
        heard = answer.status() >= 500 ? heard : System.nanoTime();
        failures = answer.status() == 429 ? failures : 0;
        return answer;
      } catch (SocketTimeoutException e) {
        if (!"timeout".equals(e.getMessage()) && !String.valueOf(e.getMessage()).startsWith("Read")) {
          pause(e);
        }
        return null;
      } catch (IOException e) {
        pause(e);
        return null;
      }
    }

    /** How long one poll may take: never much beyond the deadline. */
    private long patience() {
      long left = calls.patience().deadline().toMillis() - (System.nanoTime() - promise.since()) / 1_000_000;
      return Math.max(1, Math.min(left + 1, calls.patience().poll().toMillis()));
    }

    private void pause(IOException failure) {
      calls.workers().requireOpen();
      if (System.nanoTime() - heard > calls.patience().budget().toNanos()) {
        throw calls.problems().unreachable(label(promise), failure);
      }
      if (failures++ == 0) {
        // A server that has closed an idle connection is not worth a word.
        calls.workers().sleep(calls.patience().unit() / 10);
        return;
      }
      unreachable = true;
      Status.waiting(this, promise.what() + ": " + calls.problems().text(String.valueOf(failure.getMessage())));
      calls.workers().sleep(calls.patience().pause(failures - 1));
    }

    /** The service can be reached again: that its answer takes long is as it should be. */
    private void sent() {
      if (unreachable) {
        unreachable = false;
        Status.waiting(this, null);
      }
    }

    /** Whether an answer is the result; throws if it is a failure for good. */
    private boolean done(ApiResponse answer) {
      if (!answer.ok()) {
        refused(answer);
        return false;
      }
      if (answer.isProtobuf()) {
        return true;
      }
      JsonNode node;
      try {
        node = WireJson.tree(answer.body());
      } catch (WireException e) {
        throw calls.problems().strange(label(promise), e);
      }
      if (RequestFutures.Pending.TYPE.equals(text(node, "type"))) {
        pending(text(node, "queue_state"), text(node, "queue_state_reason"));
        return false;
      }
      if (RequestFutures.Large.STATUS.equals(text(node, "status"))) {
        if (!metadata) {
          throw calls.problems().strange(label(promise), new WireException("it announced its size twice"));
        }
        long size = node.get("response_payload_size") == null ? 0 : node.get("response_payload_size").asLong();
        large.take(size);
        held = size;
        metadata = false;
        return false;
      }
      JsonNode error = node.get("error");
      if (error != null && !error.isNull()) {
        throw calls.problems().failed(promise.what(), promise.requestId(),
            error.isString() ? error.asString() : error.toString(), text(node, "category"));
      }
      return true;
    }

    private void refused(ApiResponse answer) {
      switch (answer.status()) {
        case 408 -> {
          empty = 0;
          try {
            JsonNode node = WireJson.tree(answer.body());
            pending(text(node, "queue_state"), text(node, "queue_state_reason"));
          } catch (WireException e) {
            // Pending all the same.
          }
        }
        case 402 -> {
          Status.waiting(this, promise.what() + ": " + calls.problems().detail(answer));
          calls.workers().sleep(10 * calls.patience().unit());
        }
        case 429 -> {
          Status.waiting(this, promise.what() + ": asked too often");
          calls.workers().sleep(RetryingClient.hint(answer).orElseGet(() -> calls.patience().pause(failures++)));
        }
        case 406 -> {
          if (!protobuf) {
            throw calls.problems().of(answer, label(promise));
          }
          protobuf = false;
        }
        case 410 -> throw new Gone((ServiceException) calls.problems().of(answer, label(promise)));
        case 400 -> {
          if (isJson(answer) || ++empty > EMPTY_400) {
            throw calls.problems().of(answer, label(promise));
          }
        }
        default -> {
          if (answer.status() < 500) {
            throw calls.problems().of(answer, label(promise));
          }
          if (System.nanoTime() - heard > calls.patience().budget().toNanos()) {
            throw calls.problems().of(answer, label(promise));
          }
          Status.waiting(this, promise.what() + ": " + answer.status() + " " + calls.problems().detail(answer));
        }
      }
    }

    private boolean isJson(ApiResponse answer) {
      try {
        return WireJson.tree(answer.body()).size() > 0;
      } catch (WireException e) {
        return false;
      }
    }

    /** Shows that the queue stands still, and why. */
    private void pending(String state, String reason) {
      boolean paused = state != null && !state.equals("active");
      Status.waiting(this, !paused ? null : promise.what() + ": queue " + calls.problems().text(state)
          + (reason == null ? "" : ": " + calls.problems().text(reason)));
    }
  }

  private static String text(JsonNode node, String key) {
    JsonNode value = node.get(key);
    return value == null || value.isNull() ? null : value.isString() ? value.asString() : value.toString();
  }
}
