package dev.fettle.internal.serve;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/**
 * Answers by idempotency key: a request that comes again, also while the first is still answered, gets the same one.
 */
final class Replies {
  private static final int REMEMBERED = 4096;

  private record Given(String fingerprint, CompletableFuture<Reply> reply) {}

  private final Map<String, Given> given = new LinkedHashMap<>() {
    private static final long serialVersionUID = 1;

    @Override
    protected boolean removeEldestEntry(Map.Entry<String, Given> eldest) {
      return size() > REMEMBERED;
    }
  };

  CompletionStage<Reply> once(String key, String fingerprint, Supplier<CompletionStage<Reply>> call) {
    CompletableFuture<Reply> reply = new CompletableFuture<>();
    synchronized (given) {
      Given before = given.get(key);
      if (before != null && !before.fingerprint.equals(fingerprint)) {
        throw new Problem(409, "the idempotency key " + key + " was sent with another request before");
      } else if (before != null) {
        return before.reply;
      }
      given.put(key, new Given(fingerprint, reply));
    }
    try {
      call.get().whenComplete((value, error) -> {
        if (error == null && value.succeeded()) {
          reply.complete(value);
        } else {
          forget(key);
          if (error != null) {
            reply.completeExceptionally(error);
          } else {
            reply.complete(value);
          }
        }
      });
    } catch (RuntimeException | Error e) {
      forget(key);
      reply.completeExceptionally(e);
    }
    return reply;
  }

  private void forget(String key) {
    synchronized (given) {
      given.remove(key);
    }
  }
}
