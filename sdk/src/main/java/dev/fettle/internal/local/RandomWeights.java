package dev.fettle.internal.local;

import dev.fettle.internal.model.Layout;
import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;

/** How the weights of a model start that nobody has trained: matrices normal, norms 1, biases 0. */
final class RandomWeights {
  /** The standard deviation, as transformers' {@code initializer_range} has it by default. */
  private static final double DEVIATION = 0.02;

  private RandomWeights() {}

  static void fill(Tensor block, Layout.Weight w) {
    try (Scope scope = new Scope()) {
      Tensor start;
      if (w.shape().length == 2) {
        start = scope.call("normal", w.shape(), DEVIATION, NumberType.F32);
      } else {
        start = scope.call("constant", w.shape(), w.name().endsWith(".bias") ? 0.0 : 1.0, NumberType.F32);
      }
      scope.effect("copy", scope.call("part", scope.call("flat", block), w.offset(), w.shape()), start);
    }
  }
}
