package dev.fettle.internal.serve;

import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/** Work that was taken on, and what became of it. */
final class PendingRequest {
  /** What comes out: of the first two, protobuf if the client likes. */
  enum Kind { PASS, SAMPLE, OTHER }

  private final String id;
  private final Kind kind;
  private final Session session;
  private final String modelId;
  private final CompletableFuture<Object> result = new CompletableFuture<>();
  private volatile Supplier<String> obstacle = () -> null;
  private volatile long fetched;
  private volatile long unfetched;

  PendingRequest(String id, Kind kind, Session session, String modelId) {
    this.id = id;
    this.kind = kind;
    this.session = session;
    this.modelId = modelId;
  }

  String id() {
    return id;
  }

  Kind kind() {
    return kind;
  }

  Session session() {
    return session;
  }

  String modelId() {
    return modelId;
  }

  CompletableFuture<Object> result() {
    return result;
  }

  /** Why it is not being worked on though its turn would have come; null where it only waits for its turn. */
  String obstacle() {
    return obstacle.get();
  }

  void obstacle(Supplier<String> reason) {
    obstacle = reason;
  }

  /** When its result was last fetched, in milliseconds; 0 if it was not. */
  long fetched() {
    return fetched;
  }

  void fetched(long now) {
    fetched = now;
  }

  /** Since when its result is known to be there without having been fetched, in milliseconds; 0 if that is not so. */
  long unfetched() {
    return unfetched;
  }

  void unfetched(long now) {
    unfetched = now;
  }

  /** Lets go of the result; whoever knows the number of the request may still hold the promise. */
  void forget() {
    result.obtrudeException(new Problem(410, "the result of request " + id + " has been forgotten"));
  }
}
