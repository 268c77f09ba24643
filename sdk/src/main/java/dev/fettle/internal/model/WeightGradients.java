package dev.fettle.internal.model;

import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * Where the gradients of weights are added, or set where nothing has been added yet. A block of several projections holds
 * the rows of those only that are trained.
 */
public final class WeightGradients {
  private final Weights tensors;
  private final boolean embedding;
  private final long[][] trained;

  /**
   * @param tensor the gradient of a block, or {@code null}
   * @param projection whether a projection is trained, by its full name
   */
  public WeightGradients(Layout layout, Scope scope, Function<Layout.Block, Tensor> tensor, Predicate<String> projection) {
    this.tensors = new Weights(layout, scope, tensor);
    this.embedding = tensors.tensor(layout.embedding()) != null;
    this.trained = new long[layout.config().layers()][AdapterShape.MODULES.size()];
    for (int i = 0; i < trained.length; i++) {
      for (int j = 0; j < trained[i].length; j++) {
        trained[i][j] = projection.test(AdapterShape.module(layout.config(), i, j)) ? 1 : 0;
      }
    }
  }

  /** No weights. */
  public static WeightGradients none(Layout layout, Scope scope) {
    return new WeightGradients(layout, scope, block -> null, name -> false);
  }

  Tensor layer(int i) {
    return tensors.layer(i);
  }

  /** Whether to set rather than add, then which projections of a layer are trained, as the kernels take it. */
  long[] how(int layer, boolean fresh) {
    long[] out = new long[1 + trained[layer].length];
    out[0] = fresh ? 1 : 0;
    System.arraycopy(trained[layer], 0, out, 1, trained[layer].length);
    return out;
  }

  /** Of a tensor outside the layers. */
  Tensor outer(int index) {
    return tensors.outer(index);
  }

  Tensor finalNorm() {
    return tensors.finalNorm();
  }

  Tensor head() {
    return tensors.head();
  }

  Tensor embedding() {
    return tensors.embedding();
  }

  boolean hasEmbedding() {
    return embedding;
  }

  /** Whether the gradient of the embedding is also that of the head, which comes first. */
  boolean tied() {
    return tensors.layout().config().tiedEmbeddings();
  }
}
