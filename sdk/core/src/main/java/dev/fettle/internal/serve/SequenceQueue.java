package dev.fettle.internal.serve;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;

/**
 * The requests of one model in the order of their sequence numbers: a number that comes early waits for those before
 * it. A number that comes again is the same request. Not thread-safe.
 */
final class SequenceQueue {
  /** Numbers that are remembered; one that is further back cannot come again. */
  private static final int REMEMBERED = 10_000;

  /** A request that was taken on. */
  record Taken(PendingRequest promise, String fingerprint) {}

  private record Held(PendingRequest promise, Scheduler.Work work, long since) {}

  private final Consumer<Scheduler.Work> release;
  private final TreeMap<Integer, Taken> taken = new TreeMap<>();
  private final TreeMap<Integer, Held> held = new TreeMap<>();
  private final TreeSet<Integer> refused = new TreeSet<>();
  private int next = 1;

  SequenceQueue(Consumer<Scheduler.Work> release) {
    this.release = release;
  }

  /**
   * The request that came before with this number, or null.
   *
   * @throws Problem 409 if that was another request
   */
  PendingRequest repeated(Integer number, String fingerprint) {
    Taken before = number == null ? null : taken.get(number);
    if (before == null) {
      if (number != null && !taken.isEmpty() && taken.size() >= REMEMBERED && number < taken.firstKey()) {
        throw new Problem(409, "seq_id " + number + " is long past: this model is at " + taken.lastKey());
      }
      return null;
    }
    if (!Objects.equals(before.fingerprint, fingerprint)) {
      throw new Problem(409, "seq_id " + number + " was another request before: count up for each new one");
    }
    return before.promise;
  }

  /** Whether requests that were taken on wait for this number. */
  boolean isAwaited(Integer number) {
    return number != null && !held.isEmpty() && number <= held.firstKey();
  }

  /** Takes on a request; without a number it comes after all that have been released. */
  void add(Integer number, String fingerprint, PendingRequest promise, Scheduler.Work work, long now) {
    if (number != null) {
      taken.put(number, new Taken(promise, fingerprint));
      refused.remove(number);
      if (taken.size() > REMEMBERED) {
        taken.pollFirstEntry();
      }
    }
    if (number == null || number <= next) {
      release.accept(work);
    } else {
      held.put(number, new Held(promise, work, now));
    }
    if (number != null && number == next) {
      next++;
      advance();
    }
  }

  /** A request with this number was refused: nobody needs to wait for it, though it may still come right. */
  void refuse(Integer number) {
    if (number != null && number >= next) {
      refused.add(number);
      advance();
    }
  }

  private void advance() {
    while (true) {
      if (refused.remove(next)) {
        next++;
      } else if (held.containsKey(next)) {
        release.accept(held.remove(next).work);
        next++;
      } else {
        return;
      }
    }
  }

  /** Gives up those that have waited too long for a number that did not come. */
  void expire(long now, long patience) {
    List<Map.Entry<Integer, Held>> late = new ArrayList<>();
    while (!held.isEmpty() && now - held.firstEntry().getValue().since > patience) {
      late.add(held.pollFirstEntry());
      int missing = next;
      next = late.get(late.size() - 1).getKey() + 1;
      late.get(late.size() - 1).getValue().work.drop(Problem.invalid("seq_id " + missing + " never came, so seq_id "
          + (next - 1) + ", which has to come after it, was not carried out"));
      advance();
    }
  }

  /** Drops what is held. */
  void close(RuntimeException reason) {
    held.values().forEach(h -> h.work.drop(reason));
    held.clear();
  }
}
