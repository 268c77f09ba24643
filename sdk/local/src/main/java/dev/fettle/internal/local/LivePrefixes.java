package dev.fettle.internal.local;

import dev.fettle.MemoryPlan;
import dev.fettle.internal.network.Decoder;
import dev.fettle.internal.torch.Memory;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.function.Supplier;

/**
 * What is kept of samples that have ended, for prompts that begin as they did: of a chat's next turn, or after the same system
 * message. The latest are kept, in a part of the memory that is free. Only on the engine thread.
 */
final class LivePrefixes implements AutoCloseable {
  private static final int MOST = 16;
  /** Fewer tokens than this are read as fast as copied. */
  private static final int LEAST = 32;
  /** The part of the free memory that is used is one by this. */
  private static final int PART = 8;

  private final Deque<Kept> kept = new ArrayDeque<>();

  private record Kept(int[] tokens, Decoder.Prefix prefix, Memory.Held held) {
    private void close() {
      prefix.close();
      held.close();
    }
  }

  /** How a prompt may begin. */
  record Match(Decoder.Prefix prefix, int shared) {}

  /** The longest beginning of a prompt, of which at least one token has to be read; null if there is none. */
  Match find(int[] prompt) {
    Match best = null;
    for (Kept each : kept) {
      int shared = Math.min(shared(each.tokens, prompt), prompt.length - 1);
      if (shared >= LEAST && (best == null || shared > best.shared)) {
        best = new Match(each.prefix, shared);
      }
    }
    return best;
  }

  private static int shared(int[] a, int[] b) {
    int at = Arrays.mismatch(a, b);
    return at < 0 ? a.length : at;
  }

  /** Keeps what begins so, unless something longer does already. */
  void keep(int[] tokens, MemoryPlan plan, Supplier<Decoder.Prefix> prefix) {
    if (tokens.length < LEAST || kept.stream().anyMatch(each -> shared(each.tokens, tokens) == tokens.length)) {
      return;
    }
    kept.removeIf(each -> {
      boolean within = shared(each.tokens, tokens) == each.tokens.length;
      if (within) {
        each.close();
      }
      return within;
    });
    long all = plan.total() + kept.stream().mapToLong(each -> each.held.plan().total()).sum();
    if (Memory.get().fits(PART * all)) {
      kept.addFirst(new Kept(tokens, prefix.get(), Memory.get().hold(plan, "keeping a prompt of " + tokens.length + " tokens")));
      if (kept.size() > MOST) {
        kept.removeLast().close();
      }
    }
  }

  /** Whether nothing is kept. */
  boolean isEmpty() {
    return kept.isEmpty();
  }

  /** Gives all memory back. */
  @Override
  public void close() {
    kept.forEach(Kept::close);
    kept.clear();
  }
}
