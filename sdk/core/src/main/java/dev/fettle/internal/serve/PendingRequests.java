package dev.fettle.internal.serve;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;

/** All promises by id. Results that were fetched are forgotten after a while; the ids of the last of them are known. */
final class PendingRequests {
  private static final int REMEMBERED = 100_000;
  /** A result that nobody fetches stays so many times as long as one that was fetched. */
  private static final int UNFETCHED = 12;
  private static final long MOST_BYTES = Runtime.getRuntime().maxMemory() / 4;

  private final String prefix = Long.toHexString(ThreadLocalRandom.current().nextLong() | 1L << 63);
  private final Limits limits;
  private final Map<String, PendingRequest> all = new LinkedHashMap<>();
  private final Map<String, Boolean> gone = new LinkedHashMap<>() {
    private static final long serialVersionUID = 1;

    @Override
    protected boolean removeEldestEntry(Map.Entry<String, Boolean> eldest) {
      return size() > REMEMBERED;
    }
  };
  private final Map<Session, Integer> unfinished = new LinkedHashMap<>();
  private int total;
  private long waiting;
  private long number;

  PendingRequests(Limits limits) {
    this.limits = limits;
  }

  /**
   * A new promise.
   *
   * @param awaited whether others that were taken on wait for this one, which is then never refused
   * @param bytes what the request takes in memory
   * @throws Problem 429 if too much is unfinished already
   */
  synchronized PendingRequest begin(PendingRequest.Kind kind, Session session, String modelId, boolean awaited, long bytes) {
    int own = unfinished.getOrDefault(session, 0);
    if (!awaited && (total >= limits.queue() || own >= Math.max(1, limits.queue() / 2))) {
      throw new Problem(429, "the queue is full: " + total + " requests are unfinished, " + own
          + " of them yours; at most "
          + limits.queue() + " can be, half of them of one client. Try again once some are done");
    }
    if (!awaited && total > 0 && waiting + bytes > MOST_BYTES) {
      throw new Problem(429, "the queue is full: " + total + " unfinished requests take " + (waiting >> 20)
          + " MiB. Try again "
          + "once some are done");
    }
    PendingRequest promise = new PendingRequest(prefix + "-" + number++, kind, session, modelId);
    all.put(promise.id(), promise);
    unfinished.put(session, own + 1);
    total++;
    waiting += bytes;
    promise.result().whenComplete((value, error) -> finished(session, bytes));
    return promise;
  }

  private synchronized void finished(Session session, long bytes) {
    total--;
    waiting -= bytes;
    unfinished.merge(session, -1, Integer::sum);
    unfinished.remove(session, 0);
  }

  /**
   * The promise with an id.
   *
   * @throws Problem 404 if there never was one, 410 if its result was forgotten
   */
  synchronized PendingRequest get(String id) {
    PendingRequest promise = all.get(id);
    if (promise == null) {
      throw gone.containsKey(id) ? new Problem(410, "the result of request " + id
          + " was fetched and has been forgotten")
          : Problem.unknown("request " + id
          + " is not known to this server: it was restarted, or the session has ended. "
              + "Begin a new session and load the state saved last");
    }
    return promise;
  }

  synchronized int unfinished() {
    return total;
  }

  /** Forgets what was fetched long ago. */
  synchronized void sweep(long now) {
    for (Iterator<PendingRequest> i = all.values().iterator(); i.hasNext();) {
      PendingRequest promise = i.next();
      long kept = limits.kept().toMillis();
      if (promise.result().isDone() && promise.fetched() == 0 && promise.unfetched() == 0) {
        promise.unfetched(now);
      }
      if (promise.fetched() != 0 && now - promise.fetched() > kept
          || promise.unfetched() != 0 && now - Math.max(promise.fetched(), promise.unfetched()) > UNFETCHED * kept) {
        gone.put(promise.id(), true);
        promise.forget();
        i.remove();
      }
    }
  }

  /** Forgets all of a session. */
  synchronized void forget(Session session) {
    all.values().removeIf(p -> p.session() == session);
  }
}
