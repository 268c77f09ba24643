package dev.fettle.internal.serve;

import dev.fettle.internal.wire.RequestFutures.Completion;
import dev.fettle.internal.wire.RequestFutures.History;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** Which requests of one client of a sampling session are done, in the order in which they were. Thread-safe. */
final class SampleHistory {
  private static final int REMEMBERED = 20_000;

  private final List<Completion> events = new ArrayList<>();
  private long first;
  private CompletableFuture<Void> more = new CompletableFuture<>();

  void add(String requestId, boolean succeeded) {
    CompletableFuture<Void> told;
    synchronized (this) {
      events.add(new Completion(succeeded ? "finished" : "failed", requestId, null));
      if (events.size() > 2 * REMEMBERED) {
        events.subList(0, REMEMBERED).clear();
        first += REMEMBERED;
      }
      told = more;
      more = new CompletableFuture<>();
    }
    told.complete(null);
  }

  /** What came after a place; the same again however often it is asked for. */
  synchronized History since(long cursor) {
    int from = (int) Math.max(0, Math.min(events.size(), cursor - first));
    return new History(List.copyOf(events.subList(from, events.size())), first + events.size());
  }

  /** Done as soon as there is something after a place. */
  synchronized CompletableFuture<Void> after(long cursor) {
    return first + events.size() > cursor ? CompletableFuture.completedFuture(null) : more.copy();
  }
}
