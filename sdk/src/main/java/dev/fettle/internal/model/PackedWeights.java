package dev.fettle.internal.model;

import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;

/**
 * Copies of the matrices of frozen weights, in the order in which oneDNN reads them when many rows go through. Closing frees
 * them; the weights must outlive this.
 */
final class PackedWeights implements AutoCloseable {
  private final Scope scope = new Scope();
  private final Weights weights;
  private final Tensor[] layers;

  PackedWeights(Weights weights) {
    this.weights = weights;
    Tensor[][] packed = new Tensor[weights.layout().config().layers()][];
    for (int i = 0; i < packed.length; i++) {
      Tensor[] w = weights.layerTensors(i);
      packed[i] = Layout.MATRICES.stream().map(m -> scope.call("packed", w[m])).toArray(Tensor[]::new);
    }
    this.layers = scope.lists(packed);
  }

  /** Whether these are copies of the weights given. */
  boolean of(Weights other) {
    return weights == other;
  }

  /** The matrices of a layer: qkv, o, up, down. */
  Tensor layer(int i) {
    return layers[i];
  }

  @Override
  public void close() {
    scope.close();
  }
}
