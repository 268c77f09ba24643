package dev.fettle.internal.model;

import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import dev.fettle.internal.torch.Torch;
import java.util.List;

/**
 * The weights of a model in the form that decoding reads fastest: matrices packed for oneDNN where the processor gains
 * from it, rounded to 8-bit integers where that was asked for, else as they are. What is packed or rounded is a copy,
 * which closing frees; the rest is that of the weights given, which must outlive this.
 */
public final class DecodeWeights implements AutoCloseable {
  /** The kernel for 8-bit integers takes so many at once and does not look where a row or the matrix ends. */
  private static final int INT8_BLOCK = 32;

  private final Scope scope = new Scope();
  private final Weights weights;
  private final boolean packed;
  private final Tensor layers;
  private final Tensor scales;
  private final Tensor head;

  private DecodeWeights(Weights weights, NumberType type, boolean int8) {
    this.weights = weights;
    this.packed = !int8 && type == NumberType.BF16 && Torch.get().bf16();
    ModelConfig config = weights.layout().config();
    int count = config.layers();
    Tensor none = scope.call("nothing", false);
    Tensor[][] w = new Tensor[count][];
    Tensor[][] s = new Tensor[count][];
    for (int i = 0; i < count; i++) {
      w[i] = weights.layerTensors(i);
      s[i] = new Tensor[Layout.MATRICES.size()];
      for (int m = 0; m < s[i].length; m++) {
        Tensor[] matrix = matrix(w[i][Layout.MATRICES.get(m)], none,
            int8 && roundable(shape(i, Layout.MATRICES.get(m))));
        w[i][Layout.MATRICES.get(m)] = matrix[0];
        s[i][m] = matrix[1];
      }
    }
    this.layers = scope.flatList(w);
    this.scales = scope.flatList(s);
    this.head = scope.list(List.of(matrix(weights.head(), none,
        int8 && roundable(config.vocabSize(), config.hiddenSize()))));
  }

  /** Weights that the processor reads fastest, without loss. */
  public static DecodeWeights exact(Weights weights, NumberType type) {
    return new DecodeWeights(weights, type, false);
  }

  /**
   * Matrices rounded to 8 bits, with a scale for each row; for weights in bf16. A matrix with a side that is no multiple of
   * 32 stays as it is.
   */
  public static DecodeWeights int8(Weights weights) {
    return new DecodeWeights(weights, NumberType.BF16, true);
  }

  /** The memory that the copies of exact weights take, in bytes. */
  public static long copiedBytes(Layout layout, NumberType type) {
    return type == NumberType.BF16 && Torch.get().bf16() ? matrices(layout, false) * type.size() : 0;
  }

  /** The memory that rounded matrices take, in bytes; scales are a thousandth of it. */
  public static long roundedBytes(Layout layout) {
    return matrices(layout, true);
  }

  /** The numbers in all matrices that decoding reads in another form. */
  private static long matrices(Layout layout, boolean rounded) {
    Layout.Block head = layout.head() == null ? layout.embedding() : layout.head();
    return layout.blocks().stream()
        .filter(b -> b.equals(head) || b.layer() >= 0 && Layout.MATRICES.contains(b.index()))
        .filter(b -> !rounded || roundable(b.shape())).mapToLong(Layout.Block::size).sum();
  }

  private long[] shape(int layer, int index) {
    return weights.layout().blocks().stream().filter(b -> b.layer() == layer && b.index() == index).findFirst()
        .orElseThrow().shape();
  }

  private static boolean roundable(long... shape) {
    return shape[0] % INT8_BLOCK == 0 && shape[1] % INT8_BLOCK == 0;
  }

  private Tensor[] matrix(Tensor w, Tensor none, boolean int8) {
    if (int8) {
      return scope.tuple("quantised", w);
    }
    return new Tensor[] {packed ? scope.call("packed", w) : w, none};
  }

  Weights weights() {
    return weights;
  }

  boolean packed() {
    return packed;
  }

  /** The tensors of all layers. */
  Tensor layers() {
    return layers;
  }

  /** The scales of the matrices of all layers; empty tensors where a matrix is not rounded. */
  Tensor scales() {
    return scales;
  }

  /** The output embedding and its scales. */
  Tensor head() {
    return head;
  }

  @Override
  public void close() {
    scope.close();
  }
}
