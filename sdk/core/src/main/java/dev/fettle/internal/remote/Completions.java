package dev.fettle.internal.remote;

import dev.fettle.internal.wire.Paths;
import dev.fettle.internal.wire.RequestFutures;
import java.io.IOException;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * Tells which samples of a session are done, from one request that waits for news of all of them, where the service offers it;
 * else each is taken for done, so that its result is asked for at once, which waits too. One of which no news comes for a while
 * is asked for itself: news may be lost. Thread-safe.
 */
final class Completions {
  private static final int REMEMBERED = 10_000;

  private final RemoteBackend owner;
  private final RequestFutures.Target target;
  private final Map<String, CompletableFuture<Void>> waiting = new HashMap<>();
  private final Set<String> early = new LinkedHashSet<>();
  private long cursor;
  private boolean following;
  private boolean refused;

  Completions(RemoteBackend owner, String session) {
    this.owner = owner;
    this.target = new RequestFutures.Target("sampling_session", session, 0L);
  }

  /** Done when a request is, or when it is better to ask for it. */
  CompletableFuture<Void> of(String requestId) {
    boolean offered = Boolean.TRUE.equals(owner.session().config().sampleUseRetrieveFutures());
    CompletableFuture<Void> done;
    synchronized (this) {
      if (!offered || refused || early.remove(requestId)) {
        return CompletableFuture.completedFuture(null);
      }
      done = new CompletableFuture<Void>()
          .completeOnTimeout(null, 2 * owner.calls().patience().poll().toMillis(), TimeUnit.MILLISECONDS);
      waiting.put(requestId, done);
      if (following) {
        return done;
      }
      following = true;
    }
    owner.workers().samples().execute(this::follow);
    return done;
  }

  /** Asks for news as long as somebody waits. */
  private void follow() {
    try {
      while (anybodyWaits()) {
        RequestFutures.Follow news = new RequestFutures.Follow(target, cursor, null);
        ApiRequest ask = ApiRequest.post(Paths.FOLLOW, news, "retrieve_futures")
            .polling(owner.calls().patience().poll().toMillis(), () -> { });
        try {
          ApiResponse answer = owner.calls().once(ask);
          if (answer.ok()) {
            tell(owner.calls().read(answer, ask.what(), RequestFutures.History.class));
          } else if (answer.isUnknown()) {
            break;
          } else {
            owner.workers().sleep(owner.calls().patience().unit());
          }
        } catch (IOException e) {
          owner.workers().sleep(owner.calls().patience().unit());
        }
      }
    } finally {
      stop();
    }
  }

  /** Forgets those of whom it was told otherwise; nobody follows any more when this says no. */
  private synchronized boolean anybodyWaits() {
    waiting.values().removeIf(CompletableFuture::isDone);
    following = !waiting.isEmpty();
    return following;
  }

  private void tell(RequestFutures.History history) {
    List<CompletableFuture<Void>> told;
    synchronized (this) {
      cursor = history.cursor() == null ? cursor : history.cursor();
      if (history.completions() != null) {
        history.completions().stream().map(RequestFutures.Completion::requestId).forEach(id -> {
          if (!waiting.containsKey(id)) {
            early.add(id);
          }
        });
      }
      while (early.size() > REMEMBERED) {
        early.remove(early.iterator().next());
      }
      told = history.completions() == null ? List.of() : history.completions().stream()
          .map(c -> waiting.remove(c.requestId())).filter(f -> f != null).toList();
    }
    told.forEach(done -> done.complete(null));
  }

  /** After this each result is asked for itself, unless following ended because nobody waited. */
  private void stop() {
    List<CompletableFuture<Void>> left;
    synchronized (this) {
      if (!following) {
        return;
      }
      following = false;
      refused = true;
      left = List.copyOf(waiting.values());
      waiting.clear();
    }
    left.forEach(done -> done.complete(null));
  }
}
