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

  /** Numbers that are drawn at a time. */
  private static final long PIECE = 64 << 20;

  private RandomWeights() {}

  static void fill(Weight block, Layout.Weight w) {
    try (Scope scope = new Scope()) {
      if (w.shape().length != 2) {
        Tensor start = w.shape().length > 2 ? scope.kernels().normal(w.shape(), DEVIATION, NumberType.F32, scope.device())
            : scope.kernels().constant(w.shape(), w.name().endsWith(".bias") ? 0 : 1, NumberType.F32, scope.device());
        scope.kernels().copy(scope.kernels().viewSlice(scope.kernels().flat(block.dense(scope)), w.offset(), w.shape()), start);
      }
    }
    long rows = w.shape().length == 2 ? w.shape()[0] : 0;
    long step = rows == 0 ? 1 : Math.max(1, PIECE / w.shape()[1]);
    for (long at = 0; at < rows; at += step) {
      fill(block, w.offset() / w.shape()[1] + at, new long[] {Math.min(step, rows - at), w.shape()[1]});
    }
  }

  private static void fill(Weight block, long row, long... shape) {
    try (Scope scope = new Scope()) {
      Tensor start = scope.kernels().normal(shape, DEVIATION, NumberType.F32, scope.device());
      if (block instanceof Weight.Quantised q) {
        q.write(row, shape[0], (step, from, count) -> step.kernels().rows(start, from, count));
      } else {
        scope.kernels().copy(block.dense(scope, row, shape[0]), start);
      }
    }
  }
}
