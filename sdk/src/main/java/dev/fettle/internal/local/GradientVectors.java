package dev.fettle.internal.local;

import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;

/**
 * The gradients of a training, a vector for each lane. Small ones are kept and zeroed; where one is as large as a model,
 * there is one lane only, its memory is given back after each step, and the first pass writes into it without anybody
 * having cleared it: pages come into being as the backward pass frees those of the activations.
 */
final class GradientVectors implements AutoCloseable {
  /** Elements up to which gradients are kept. */
  private static final long SMALL = Long.getLong("fettle.gradient", 16L << 20);

  private final long size;
  private final long adapters;
  private final boolean large;
  private final BiFunction<Scope, Tensor, Gradients> views;
  private final List<Gradients> lanes = new ArrayList<>();
  private Scope scope = new Scope();

  /**
   * @param adapters how many of the numbers, from the first on, belong to adapters
   * @param views makes the views of a vector
   */
  GradientVectors(long size, long adapters, BiFunction<Scope, Tensor, Gradients> views) {
    this.size = size;
    this.adapters = adapters;
    this.large = size > adapters && size > SMALL;
    this.views = views;
  }

  /** How many lanes there may be. */
  int most() {
    return large ? 1 : Lanes.most();
  }

  /** Those of a lane, zero until something was added. */
  Gradients lane(int lane) {
    while (lanes.size() <= lane) {
      add("zeros");
    }
    return lanes.get(lane);
  }

  /**
   * Makes ready for a pass after which there is a gradient where there was none.
   *
   * @return whether the gradients of weights hold nothing yet, not even zeros
   */
  boolean begin() {
    if (!large || !lanes.isEmpty()) {
      return false;
    }
    add("empty");
    if (adapters > 0) {
      try (Scope step = new Scope()) {
        step.effect("zero", step.call("part", lanes.get(0).vector(), 0, new long[] {adapters}));
      }
    }
    return true;
  }

  /** Whether reading the gradient for a step is to leave zeros behind; else {@link #clear} is to follow. */
  boolean clearedInPlace() {
    return !large;
  }

  /** Forgets the gradient. */
  void clear() {
    if (large) {
      scope.close();
      scope = new Scope();
      lanes.clear();
    } else {
      lanes.forEach(lane -> scope.effect("zero", lane.vector()));
    }
  }

  private void add(String kernel) {
    lanes.add(views.apply(scope, scope.call(kernel, new long[] {size}, NumberType.F32)));
  }

  @Override
  public void close() {
    scope.close();
  }
}
