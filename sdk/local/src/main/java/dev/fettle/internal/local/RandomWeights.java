package dev.fettle.internal.local;

import dev.fettle.internal.model.Layout;
import dev.fettle.internal.network.Weight;
import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;

/** How the weights of a model start that nobody has trained: matrices normal, norms 1, biases 0. */
final class RandomWeights {
  /** The standard deviation, as transformers' {@code initializer_range} has it by default. */
  private static final double DEVIATION = 0.02;

  private RandomWeights() {}

  static void fill(Weight block, Layout.Weight w) {
    try (Scope scope = new Scope()) {
      Tensor start = w.shape().length > 1 ? scope.kernels().normal(w.shape(), DEVIATION, NumberType.F32, scope.device())
          : scope.kernels().constant(w.shape(), w.name().endsWith(".bias") ? 0 : 1, NumberType.F32, scope.device());
      scope.kernels().copy(scope.kernels().viewSlice(scope.kernels().flat(block.dense(scope)), w.offset(), w.shape()), start);
    }
  }
}
