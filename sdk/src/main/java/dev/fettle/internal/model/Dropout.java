package dev.fettle.internal.model;

import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import dev.fettle.internal.torch.Torch;
import java.util.ArrayList;
import java.util.List;

/**
 * Dropout of what the adapters read. The masks depend on nothing but the seed, so that a run that is resumed draws the
 * same ones. Projections that read the same input share one mask.
 *
 * @param p the probability of dropping an element
 * @param seed of this pass over this batch
 */
public record Dropout(double p, long seed) {
  /** Nothing is dropped. */
  public static final Dropout NONE = new Dropout(0, 0);

  Tensor masks(Scope scope, AdapterShape shape, int layer, int rows, NumberType type, Tensor noMasks) {
    if (p == 0) {
      return noMasks;
    }
    Torch.get().seed(seed * 1_000_003 + layer);
    List<Tensor> masks = new ArrayList<>();
    for (int g = 0; g < AdapterShape.GROUPS; g++) {
      masks.add(shape.rank(layer, g) == 0 ? scope.call("nothing", false)
          : scope.call("dropout_mask", new long[] {rows, shape.inputs(g)}, p, type));
    }
    return scope.list(masks);
  }
}
