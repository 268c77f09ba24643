package dev.fettle.internal.torch;

import dev.fettle.MemoryPlan;
import dev.fettle.NotEnoughMemoryException;
import dev.fettle.internal.Gibibytes;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * The native memory of this process: who holds how much of it, and whether there is room for more. What a holder has been
 * promised counts from the beginning, also while it has not come to allocate it. Work is refused before anything of it is
 * allocated, where it would not fit beside what is promised into the device, the process's container, or the limit that the
 * property {@code fettle.memory} sets for all native memory of the process, in bytes. Thread-safe.
 */
public final class Memory {
  private static final Memory INSTANCE =
      new Memory(Long.getLong("fettle.memory", Long.MAX_VALUE), () -> DeviceMemory.free(ComputeDevice.get()),
          () -> DeviceMemory.giveBack(ComputeDevice.get()));

  /** Of work that came and went: malloc may keep as much of it, in pieces that nothing later fits into. */
  private static final long KEPT = 256L << 20;
  /** How long what the system said is good for work that needs far less, in nanoseconds: asking takes as long as a short text. */
  private static final long FRESH = 100_000_000;
  /** How many times as much as is needed there is to be for that. */
  private static final int FAR = 8;

  private final long limit;
  private final Supplier<OptionalLong> available;
  private final Runnable giveBack;
  private final List<Held> held = new ArrayList<>();
  private long worked;
  private OptionalLong said = OptionalLong.empty();
  private long saidAt;
  private boolean remembered;
  private final Set<Runnable> spares = Collections.newSetFromMap(new WeakHashMap<>());

  /**
   * @param available what the device has left
   * @param giveBack gives what was freed and kept for later back to the system
   */
  Memory(long limit, Supplier<OptionalLong> available, Runnable giveBack) {
    this.limit = limit;
    this.available = available;
    this.giveBack = giveBack;
  }

  /** That of this process. */
  public static Memory get() {
    return INSTANCE;
  }

  /** Memory that was promised to someone; closing ends it. */
  public final class Held implements AutoCloseable {
    private final Supplier<MemoryPlan> promised;
    private final LongSupplier present;

    private Held(Supplier<MemoryPlan> promised, LongSupplier present) {
      this.promised = promised;
      this.present = present;
    }

    /** What was promised. */
    public MemoryPlan plan() {
      return promised.get();
    }

    @Override
    public void close() {
      synchronized (Memory.this) {
        held.remove(this);
      }
    }
  }

  /** Promises what is about to be allocated, all of it at once. */
  public Held hold(MemoryPlan plan, String what) {
    makeRoom(plan.total());
    synchronized (this) {
      check(plan, 0, what);
      return promise(() -> plan, plan::total);
    }
  }

  /**
   * Notes someone who keeps what may be of use later, and gives it back before work is refused.
   *
   * @param giveBack called on any thread, as long as whoever made it holds it
   */
  public synchronized void spare(Runnable giveBack) {
    spares.add(giveBack);
  }

  /** Not under the lock: whoever gives back may have to wait for others. */
  private void makeRoom(long bytes) {
    List<Runnable> asked;
    synchronized (this) {
      asked = bytes > room(bytes) ? List.copyOf(spares) : List.of();
    }
    asked.forEach(Runnable::run);
  }

  /**
   * Notes a promise whose size was required before.
   *
   * @param promised may change
   * @param present how much of it has been allocated
   */
  public synchronized Held promise(Supplier<MemoryPlan> promised, LongSupplier present) {
    remembered = false;
    Held holder = new Held(promised, present);
    held.add(holder);
    return holder;
  }

  /**
   * Refuses work for which there is no room; lets it pass where the system does not say how much there is.
   *
   * @param counted how much of it is among what has been promised, or comes free by it
   */
  public void require(MemoryPlan plan, long counted, String what) {
    makeRoom(plan.total() - counted);
    check(plan, counted, what);
  }

  /**
   * Gives back what was freed, once there was enough work since that was last done to make it worth its time. For whoever has
   * freed what it held for long: in a process that makes and closes one model or training after another, each would else leave
   * pieces behind, in malloc's place for each thread that it ran on.
   */
  public void tidy() {
    synchronized (this) {
      if (!isUntidy()) {
        return;
      }
      worked = 0;
    }
    giveBack.run();
  }

  /** Whether {@link #tidy} has anything to do. */
  synchronized boolean isUntidy() {
    return worked >= KEPT;
  }

  private synchronized void check(MemoryPlan plan, long counted, String what) {
    long room = room(plan.total() - counted);
    if (plan.total() - counted > room) {
      throw new NotEnoughMemoryException(refusal(plan, room + counted, what));
    }
    worked = Math.min(KEPT, worked + Math.min(KEPT, plan.total()));
  }

  /** Whether there is room for so many bytes more. */
  public synchronized boolean fits(long bytes) {
    return bytes <= room(bytes);
  }

  /** How many bytes more there is room for, up to what is wanted or beyond; the largest number where that is unknown. */
  public synchronized long room(long wanted) {
    long promised = promised().values().stream().mapToLong(Long::longValue).sum();
    long ofLimit = limit == Long.MAX_VALUE ? limit : limit - promised;
    boolean anew = !remembered || System.nanoTime() - saidAt > FRESH;
    long ofSystem = ofSystem(anew);
    remembered = wanted <= ofSystem / FAR;
    if (!remembered && !anew) {
      ofSystem = ofSystem(true);
    }
    if (wanted > ofSystem) {
      giveBack.run();
      ofSystem = ofSystem(true);
    }
    return Math.min(ofLimit, ofSystem);
  }

  /** What the system has left when all promises have been kept. */
  private long ofSystem(boolean anew) {
    if (anew) {
      said = available.get();
      saidAt = System.nanoTime();
    }
    if (said.isEmpty()) {
      return Long.MAX_VALUE;
    }
    return said.getAsLong()
        - held.stream().mapToLong(h -> Math.max(0, h.promised.get().total() - h.present.getAsLong())).sum();
  }

  private Map<String, Long> promised() {
    Map<String, Long> sums = new LinkedHashMap<>();
    held.forEach(h -> h.promised.get().parts().forEach(part -> sums.merge(part.name(), part.bytes(), Long::sum)));
    return sums;
  }

  private String refusal(MemoryPlan plan, long room, String what) {
    MemoryPlan others = new MemoryPlan(
        promised().entrySet().stream().map(e -> new MemoryPlan.Part(e.getKey(), e.getValue())).toList());
    return what + " needs about " + Gibibytes.of(plan.total()) + " GiB of native memory (" + figures(plan) + "), but only "
        + Gibibytes.of(Math.max(0, room)) + " GiB are left"
        + (limit == Long.MAX_VALUE ? "" : " of the " + Gibibytes.of(limit) + " GiB of fettle.memory")
        + (others.parts().isEmpty() ? "" : " beside " + Gibibytes.of(others.total()) + " GiB in use or promised (" + figures(others) + ")")
        + ": use fewer or shorter sequences, a smaller model or rank, bf16, or fewer threads";
  }

  private static String figures(MemoryPlan plan) {
    return plan.parts().stream().map(MemoryPlan.Part::toString).collect(Collectors.joining(", "));
  }
}
