package dev.fettle.internal.serve;

import dev.fettle.FettleException;
import dev.fettle.InvalidInputException;
import dev.fettle.NumericException;
import dev.fettle.UnsupportedModelException;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.wire.OutputProto;
import dev.fettle.internal.wire.Passes;
import dev.fettle.internal.wire.Paths;
import dev.fettle.internal.wire.RequestFutures.Cancel;
import dev.fettle.internal.wire.RequestFutures.Failed;
import dev.fettle.internal.wire.RequestFutures.Follow;
import dev.fettle.internal.wire.RequestFutures.Large;
import dev.fettle.internal.wire.RequestFutures.Retrieve;
import dev.fettle.internal.wire.RequestFutures.Target;
import dev.fettle.internal.wire.SampleProto;
import dev.fettle.internal.wire.Sampling;
import dev.fettle.internal.wire.Sessions;
import dev.fettle.internal.wire.WireException;
import dev.fettle.internal.wire.WireJson;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The call that waits for results. */
final class FutureCalls {
  private static final Logger LOG = LoggerFactory.getLogger(FutureCalls.class);

  private final Engine engine;
  private final Clients clients;
  private final Executor executor;

  FutureCalls(Engine engine, Clients clients, Executor executor) {
    this.engine = engine;
    this.clients = clients;
    this.executor = executor;
  }

  /** Waits a while; holds no thread. */
  CompletionStage<Reply> retrieve(Request request) {
    Retrieve body = request.read(Retrieve.class);
    PendingRequest promise = engine.promises().get(Problem.require(body.requestId(), "request_id"));
    promise.session().touch();
    boolean protobuf = promise.kind() != PendingRequest.Kind.OTHER && request.contains("Accept", Paths.PROTOBUF);
    boolean announce = Boolean.TRUE.equals(body.allowMetadataOnly());
    return promise.result().handle((value, error) -> true)
        .completeOnTimeout(false, engine.limits().poll().toMillis(), TimeUnit.MILLISECONDS)
        .thenApplyAsync(done -> done ? finished(promise, protobuf, announce) : pending(promise), executor);
  }

  /** Gives up a sample that nobody waits for any more; what is being computed or done is not. */
  Reply cancel(Request request) {
    PendingRequest promise = engine.promises().get(Problem.require(request.read(Cancel.class).requestId(), "request_id"));
    promise.session().touch();
    if (promise.kind() == PendingRequest.Kind.SAMPLE) {
      promise.result().completeExceptionally(Problem.invalid("request " + promise.id() + " was cancelled"));
    }
    return Reply.json(new Sessions.Health("ok"));
  }

  /** What was done of a sampling session since the client asked last; waits a while for something new. */
  CompletionStage<Reply> follow(Request request) {
    Follow body = request.read(Follow.class);
    Target target = Problem.require(body.target(), "target");
    if (!"sampling_session".equals(target.type())) {
      throw new Problem(422, "target.type is " + target.type() + ": only sampling_session can be followed");
    }
    long cursor = body.prevCursor() == null ? 0 : body.prevCursor();
    SampleHistory history = clients.sampler(target.samplingSessionId())
        .history(target.clonedSamplerId() == null ? 0 : target.clonedSamplerId());
    return history.after(cursor).completeOnTimeout(null, engine.limits().poll().toMillis(), TimeUnit.MILLISECONDS)
        .thenApplyAsync(none -> Reply.json(history.since(cursor)), executor);
  }

  /** A 408: clients of all ages take that for "ask again", and read from it why they wait. */
  private static Reply pending(PendingRequest promise) {
    String obstacle = promise.obstacle();
    String state = obstacle == null ? "active" : "paused_capacity";
    return Reply.bytes(408, Paths.JSON, WireJson.write(
        new dev.fettle.internal.wire.RequestFutures.Problem(JsonNode.of(
            "request " + promise.id() + " is not done yet: ask again"), state, obstacle)));
  }

  private Reply finished(PendingRequest promise, boolean protobuf, boolean announce) {
    CompletableFuture<Object> result = promise.result();
    Object value;
    try {
      value = result.join();
    } catch (CompletionException e) {
      promise.fetched(engine.now());
      return Reply.json(failed(e.getCause()));
    }
    Reply reply = protobuf ? Reply.bytes(200, Paths.PROTOBUF, value instanceof Passes.Output output
        ? OutputProto.write(output) : SampleProto.write((Sampling.Result) value)) : Reply.json(value);
    if (announce && reply.length() > engine.limits().announced()) {
      return Reply.json(new Large(Large.STATUS, reply.length()));
    }
    promise.fetched(engine.now());
    return reply;
  }

  /** Whose fault it was: the client's, or that of this server. */
  private static Failed failed(Throwable error) {
    if (error instanceof InvalidInputException || error instanceof UnsupportedModelException
        || error instanceof NumericException || error instanceof WireException
        || error instanceof Problem problem && problem.status() < 500) {
      return new Failed(error.getMessage(), "user");
    }
    if (!(error instanceof FettleException)) {
      LOG.error("a request failed", error);
    }
    return new Failed(error instanceof FettleException ? error.getMessage() : "internal error: " + error, "server");
  }
}
