package dev.fettle.internal.network;

import dev.fettle.internal.model.AdapterShape;
import dev.fettle.internal.model.Product;
import dev.fettle.internal.torch.NativeList;
import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import dev.fettle.internal.torch.Torch;
import java.util.ArrayList;
import java.util.List;

/**
 * Dropout of what the adapters read. The masks depend on nothing but the seed, so that a run that is resumed draws the
 * same ones. Linear layers that read the same input share one mask.
 *
 * @param p the probability of dropping an element
 * @param seed of this pass over this batch
 */
public record Dropout(double p, long seed) {
  /** Nothing is dropped. */
  public static final Dropout NONE = new Dropout(0, 0);

  NativeList<Tensor> masks(Scope scope, AdapterShape shape, int layer, int rows, NumberType type, NativeList<Tensor> noMasks) {
    if (p == 0) {
      return noMasks;
    }
    Torch.get().seed(seed * 1_000_003 + layer);
    List<Tensor> masks = new ArrayList<>();
    for (Product product : Product.values()) {
      masks.add(shape.rank(layer, product) == 0 ? scope.none()
          : scope.kernels().dropoutMask(new long[] {rows, shape.inputs(layer, product)}, p, type, scope.device()));
    }
    return scope.list(masks);
  }
}
