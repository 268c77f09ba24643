package dev.fettle.internal.local;

import dev.fettle.MemoryPlan;
import dev.fettle.internal.model.Layout;
import dev.fettle.internal.network.DecodeWeights;
import dev.fettle.internal.network.Weights;
import dev.fettle.internal.torch.Memory;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.IntConsumer;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/** The forms in which weights are decoded, each made when it is first asked for. Closing frees them. */
final class DecodeForms implements DecodeWeights.Maker, AutoCloseable {
  private final Weights weights;
  private final List<Memory.Held> held = new ArrayList<>();
  private DecodeWeights exact;
  private DecodeWeights int8;
  private Set<Layout.Block> halves;

  DecodeForms(Weights weights) {
    this.weights = weights;
  }

  DecodeWeights of(boolean rounded) {
    if (rounded) {
      if (int8 == null) {
        int8 = made(() -> DecodeWeights.int8(weights, this));
      }
      return int8;
    }
    if (exact == null) {
      exact = made(() -> DecodeWeights.exact(weights, halves(), this));
    }
    return exact;
  }

  /** One that could not be made takes no memory. */
  private DecodeWeights made(Supplier<DecodeWeights> form) {
    int before = held.size();
    try {
      return form.get();
    } catch (RuntimeException | Error e) {
      while (held.size() > before) {
        held.remove(held.size() - 1).close();
      }
      throw e;
    }
  }

  private Set<Layout.Block> halves() {
    if (halves == null) {
      halves = DecodeWeights.halves(weights);
    }
    return halves;
  }

  @Override
  public void each(int n, IntConsumer piece) {
    int lanes = Math.min(n, DataParallel.most());
    DataParallel.run(lanes, lane -> IntStream.range(0, n).filter(i -> i % lanes == lane).forEach(piece));
  }

  @Override
  public void takes(long bytes, long meanwhile) {
    Memory.get().require(plan(bytes + meanwhile * DataParallel.most()), 0, "making a form of the weights for decoding");
    held.add(Memory.get().hold(plan(bytes), "a form of the weights for decoding"));
  }

  private static MemoryPlan plan(long bytes) {
    return MemoryPlanner.plan(MemoryPlanner.DECODING, bytes);
  }

  /** The memory that a form for so many rows at a time takes beside the weights themselves. */
  MemoryPlan plan(boolean rounded, int rows) {
    return plan(DecodeWeights.copiedBytes(weights, rounded, rows, rounded ? Set.of() : halves()));
  }

  /** The same as far as it is not there yet. */
  MemoryPlan missing(boolean rounded, int rows) {
    DecodeWeights form = rounded ? int8 : exact;
    return form == null ? plan(rounded, rows) : plan(form.missingBytes(rows));
  }

  @Override
  public void close() {
    if (exact != null) {
      exact.close();
      exact = null;
    }
    if (int8 != null) {
      int8.close();
      int8 = null;
    }
    held.forEach(Memory.Held::close);
    held.clear();
  }
}
