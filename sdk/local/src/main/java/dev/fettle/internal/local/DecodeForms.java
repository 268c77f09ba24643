package dev.fettle.internal.local;

import dev.fettle.MemoryPlan;
import dev.fettle.internal.network.DecodeWeights;
import dev.fettle.internal.network.Weights;
import dev.fettle.internal.torch.Memory;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/** The forms in which weights are decoded, each made when it is first asked for. Closing frees them. */
final class DecodeForms implements AutoCloseable {
  private final Weights weights;
  private final List<Memory.Held> held = new ArrayList<>();
  private DecodeWeights exact;
  private DecodeWeights int8;

  DecodeForms(Weights weights) {
    this.weights = weights;
  }

  DecodeWeights of(boolean rounded) {
    if (rounded) {
      if (int8 == null) {
        int8 = made(() -> DecodeWeights.int8(weights), missing(true));
      }
      return int8;
    }
    if (exact == null) {
      exact = made(() -> DecodeWeights.exact(weights), missing(false));
    }
    return exact;
  }

  private DecodeWeights made(Supplier<DecodeWeights> form, MemoryPlan plan) {
    held.add(Memory.get().hold(plan, "a form of the weights for decoding"));
    return form.get();
  }

  /** The memory that a form takes beside the weights themselves. */
  MemoryPlan plan(boolean rounded) {
    return MemoryPlanner.plan(MemoryPlanner.DECODING,
        DecodeWeights.copiedBytes(weights, rounded));
  }

  /** The same where it is not there yet; nothing where it is. */
  MemoryPlan missing(boolean rounded) {
    return (rounded ? int8 : exact) == null ? plan(rounded) : new MemoryPlan(List.of());
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
