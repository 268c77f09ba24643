package dev.fettle.internal.local;

import dev.fettle.MemoryPlan;
import dev.fettle.internal.network.Decoder;
import dev.fettle.internal.network.PackedAdapter;
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

  private record Kept(PackedAdapter adapter, int[] tokens, Decoder.Prefix prefix, Memory.Held held) {
    private void close() {
      prefix.close();
      held.close();
    }
  }

  /** How a prompt may begin. */
  record Match(Decoder.Prefix prefix, int shared) {}

  /** The longest beginning of a prompt with an adapter, of which at least one token has to be read; null if there is none. */
  Match find(int[] prompt, PackedAdapter adapter) {
    Match best = null;
    for (Kept each : kept) {
      int shared = Math.min(shared(each.tokens, prompt), prompt.length - 1);
      if (each.adapter == adapter && shared >= LEAST && (best == null || shared > best.shared)) {
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
  void keep(PackedAdapter adapter, int[] tokens, MemoryPlan plan, Supplier<Decoder.Prefix> prefix) {
    if (tokens.length < LEAST || kept.stream().anyMatch(each -> each.adapter == adapter
        && shared(each.tokens, tokens) == tokens.length)) {
      return;
    }
    kept.removeIf(each -> {
      boolean within = each.adapter == adapter && shared(each.tokens, tokens) == each.tokens.length;
      if (within) {
        each.close();
      }
      return within;
    });
    long all = plan.total() + kept.stream().mapToLong(each -> each.held.plan().total()).sum();
    if (Memory.get().fits(PART * all)) {
      kept.addFirst(new Kept(adapter, tokens, prefix.get(), Memory.get().hold(plan, "keeping a prompt of " + tokens.length + " tokens")));
      if (kept.size() > MOST) {
        kept.removeLast().close();
      }
    }
  }

  /** Gives back what is kept of samples with an adapter. */
  void forget(PackedAdapter adapter) {
    kept.removeIf(each -> {
      if (each.adapter == adapter) {
        each.close();
      }
      return each.adapter == adapter;
    });
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
