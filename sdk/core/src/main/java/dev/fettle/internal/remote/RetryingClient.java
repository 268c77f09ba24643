package dev.fettle.internal.remote;

import dev.fettle.internal.Status;
import dev.fettle.internal.wire.WireException;
import dev.fettle.internal.wire.WireJson;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.Optional;
import java.util.function.IntPredicate;

/** Requests that are sent until they are answered: the one loop of retries. Thread-safe. */
final class RetryingClient {
  private static final long LONGEST_HINT = 60_000;
  private static final int CONFLICTS = 3;

  private final Http http;
  private final Auth auth;
  private final Workers workers;
  private final RetryPolicy patience;
  private final ErrorMapper problems;
  private volatile long billingPause = 3_600_000;

  RetryingClient(Http http, Auth auth, Workers workers, RetryPolicy patience, ErrorMapper problems) {
    this.http = http;
    this.auth = auth;
    this.workers = workers;
    this.patience = patience;
    this.problems = problems;
  }

  /**
   * An answer that is not tried again.
   *
   * @param repeated whether the service may have acted on the same request before, without its answer arriving
   */
  record Reply(ApiResponse answer, boolean repeated) {}

  void billingPause(Duration value) {
    billingPause = value.toMillis();
  }

  ErrorMapper problems() {
    return problems;
  }

  RetryPolicy patience() {
    return patience;
  }

  Workers workers() {
    return workers;
  }

  Http http() {
    return http;
  }

  Auth auth() {
    return auth;
  }

  /** Sends once. */
  ApiResponse once(ApiRequest ask) throws IOException {
    workers.requireOpen();
    String token = auth.token(this);
    ApiResponse answer = http.send(ask, token);
    if (answer.status() == 401 && auth.renew(this, token)) {
      answer = http.send(ask, auth.token(this));
    }
    return answer;
  }

  /** Sends until there is an answer to keep, and reads it. */
  <T> T read(ApiRequest ask, Class<T> type) {
    return read(require(ask), ask.what(), type);
  }

  /** The message of an answer. */
  <T> T read(ApiResponse answer, String what, Class<T> type) {
    try {
      return WireJson.read(answer.body(), type);
    } catch (WireException e) {
      throw problems.strange(what, ErrorMapper.page(answer.body())
          .map(page -> new WireException("it is a page for people, \"" + page + "\"")).orElse(e));
    }
  }

  /** Sends until there is an answer, which has to be a success. */
  ApiResponse require(ApiRequest ask) {
    ApiResponse answer = send(ask).answer();
    if (!answer.ok()) {
      throw problems.of(answer, ask.what());
    }
    return answer;
  }

  Reply send(ApiRequest ask) {
    return send(ask, patience.budget(), status -> false);
  }

  /** Sends until there is an answer to keep; some statuses can be kept that would be tried again. */
  Reply send(ApiRequest ask, Duration budget, IntPredicate keep) {
    Attempts attempts = new Attempts(ask, budget);
    try {
      while (true) {
        ApiResponse answer = null;
        IOException failure = null;
        try {
          answer = once(ask);
          if (keep.test(answer.status()) || !attempts.again(answer)) {
            return new Reply(answer, attempts.repeated);
          }
        } catch (IOException e) {
          failure = e;
        }
        workers.requireOpen();
        attempts.failed(answer, failure);
      }
    } finally {
      Status.waiting(attempts, null);
    }
  }

  /** How long an answer asks to wait, in milliseconds. */
  static Optional<Long> hint(ApiResponse answer) {
    Optional<Long> hint = answer.header("retry-after-ms").flatMap(text -> millis(text, 1))
        .or(() -> answer.header("retry-after").flatMap(text -> millis(text, 1000).or(() -> until(text))));
    return hint.filter(ms -> ms > 0 && ms <= LONGEST_HINT);
  }

  private static Optional<Long> millis(String text, int unit) {
    try {
      return Optional.of(Math.round(Double.parseDouble(text) * unit));
    } catch (NumberFormatException e) {
      return Optional.empty();
    }
  }

  private static Optional<Long> until(String date) {
    try {
      Instant at = ZonedDateTime.parse(date, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant();
      return Optional.of(Duration.between(Instant.now(), at).toMillis());
    } catch (DateTimeParseException e) {
      return Optional.empty();
    }
  }

  private final class Attempts {
    private final ApiRequest ask;
    private final long end;
    private final long start = System.nanoTime();
    private int failures;
    private int conflicts;
    private boolean repeated;
    private long unpaid;

    Attempts(ApiRequest ask, Duration budget) {
      this.ask = ask;
      this.end = start + budget.toNanos() + 1;
    }

    boolean again(ApiResponse answer) {
      Optional<String> said = answer.header("x-should-retry");
      int status = answer.status();
      if (said.isPresent()) {
        return said.get().equals("true");
      }
      if (status == 402) {
        return unpaid < billingPause;
      }
      // 425 is a checkpoint that is still being written; 501 will not become better.
      return status == 408 || status == 425 || status == 429 || status >= 500 && status != 501
          || status == 409 && conflicts++ < CONFLICTS;
    }

    /** Waits before the next attempt, or throws what went wrong when there is no time left. */
    void failed(ApiResponse answer, IOException failure) {
      boolean refused = failure instanceof java.net.ConnectException || failure instanceof java.net.UnknownHostException;
      repeated |= answer == null && !refused || answer != null && (answer.status() >= 500 || answer.status() == 408);
      String why = answer == null ? problems.text(String.valueOf(failure.getMessage()))
          : answer.status() + " " + problems.detail(answer);
      long pause;
      if (answer != null && answer.status() == 402) {
        pause = 10 * patience.unit();
        unpaid += pause;
      } else {
        pause = answer == null ? patience.pause(failures) : hint(answer).orElseGet(() -> patience.pause(failures));
        if (System.nanoTime() + pause * 1_000_000 >= end + unpaid * 1_000_000) {
          throw answer == null ? problems.unreachable(ask.what(), failure) : problems.of(answer, ask.what());
        }
      }
      if (failures++ > 0) {
        Status.waiting(this, ask.what() + " again: " + why);
      }
      workers.sleep(pause);
    }
  }
}
