package dev.fettle.internal.remote;

import dev.fettle.ServiceException;
import dev.fettle.internal.wire.Paths;
import dev.fettle.internal.wire.RequestFutures;
import dev.fettle.internal.wire.SampleProto;
import dev.fettle.internal.wire.Sampling;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.function.LongFunction;

/**
 * The requests of one sampling session: numbered, waited for, made anew with another number where the service has lost one, and
 * given up where nobody waits any more. Thread-safe.
 */
final class SampleRequests {
  private static final int LOST = 3;

  private final RemoteBackend owner;
  private final RetryingClient calls;
  private final Completions completions;
  private final AtomicLong sequence = new AtomicLong();

  SampleRequests(RemoteBackend owner, String session) {
    this.owner = owner;
    this.calls = owner.calls();
    this.completions = new Completions(owner, session);
  }

  /**
   * Sends a request. To cancel what is given back, or to end it before the service has answered, gives the request up.
   *
   * @param tokens how long its prompt is
   * @param body makes it of a number
   */
  CompletableFuture<Sampling.Result> begin(int tokens, LongFunction<Sampling.Sample> body) {
    Sent sent = new Sent(tokens, body);
    owner.workers().submissions().execute(() -> {
      owner.gate().enter();
      sent.future.whenComplete((result, e) -> owner.gate().leave());
      sent.guarded(sent::submit);
    });
    return sent.future;
  }

  private final class Sent {
    private final int tokens;
    private final LongFunction<Sampling.Sample> body;
    private final CompletableFuture<Sampling.Result> future = new CompletableFuture<>();
    private volatile PendingRequest pending;
    private volatile boolean answered;
    private int lost;

    Sent(int tokens, LongFunction<Sampling.Sample> body) {
      this.tokens = tokens;
      this.body = body;
      future.whenComplete((result, e) -> {
        PendingRequest promise = pending;
        if (!answered && promise != null) {
          giveUp(promise);
        }
      });
    }

    private void guarded(Runnable work) {
      try {
        work.run();
      } catch (ServiceException e) {
        // What was not done in time is still being done.
        answered = e.status() != 408;
        future.completeExceptionally(e);
      } catch (Throwable e) {
        answered = true;
        future.completeExceptionally(e);
      }
    }

    private void submit() {
      if (future.isDone()) {
        return;
      }
      ApiRequest ask = ApiRequest.post(Paths.SAMPLE, body.apply(sequence.getAndIncrement()), "asample")
          .with(Paths.BACKPRESSURE, "1");
      long start = System.nanoTime();
      ApiResponse answer = owner.gate().dispatch(ask, tokens);
      if (!answer.ok()) {
        throw calls.problems().of(answer, ask.what());
      }
      PendingRequest promise = PendingRequest.of(calls, answer, ask.what(), "Sample", start);
      pending = promise;
      if (future.isDone()) {
        giveUp(promise);
        return;
      }
      completions.of(promise.requestId()).thenRun(() -> owner.workers().samples().execute(() -> guarded(() -> collect(promise))));
    }

    private void collect(PendingRequest promise) {
      Function<ApiResponse, Sampling.Result> decode = answer -> answer.isProtobuf() ? SampleProto.read(answer.body())
          : calls.read(answer, "asample", Sampling.Result.class);
      try {
        Sampling.Result result = owner.polling().result(promise, true, decode, future::isDone);
        answered = true;
        future.complete(result);
      } catch (Polling.Gone e) {
        if (lost++ == LOST) {
          throw e.problem();
        }
        submit();
      }
    }
  }

  /** Tells the service that nobody waits, where it wants to know; that is a favour, and no failure if it does not arrive. */
  private void giveUp(PendingRequest promise) {
    if (owner.workers().isClosed()) {
      return;
    }
    owner.workers().submissions().execute(() -> {
      try {
        if (owner.session().cancels()) {
          calls.once(ApiRequest.post(Paths.CANCEL, new RequestFutures.Cancel(promise.requestId()), "cancel_future"));
        }
      } catch (IOException | RuntimeException e) {
        // It is computed for nobody.
      }
    });
  }
}
