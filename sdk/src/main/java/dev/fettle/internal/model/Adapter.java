package dev.fettle.internal.model;

import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import java.util.Arrays;

/**
 * The low-rank adapters of a model in the form that the kernels read: for each of the four fused products of a layer
 * (qkv, o, gate-up, down) the A's below each other and the scaled B's on a diagonal, and with magnitudes a gain for each
 * row and the inverse norms; A and scaled B of the embeddings. Empty tensors where there is no adapter. The scope given
 * owns the tensors.
 */
public final class Adapter {
  /** A and sB of the fused products of a layer. */
  static final int PER_LAYER = 8;

  private final AdapterShape shape;
  private final Tensor[][] parts;
  private final Tensor[][] gains;
  private final Tensor[] outer;
  private final Tensor[] layers;
  private final Tensor all;

  private Adapter(AdapterShape shape, Scope scope, Tensor[][] parts, Tensor[][] gains, Tensor[] outer) {
    this.shape = shape;
    this.parts = parts;
    this.gains = gains;
    this.outer = outer;
    this.layers = new Tensor[parts.length];
    for (int i = 0; i < parts.length; i++) {
      Tensor[] ofLayer = Arrays.copyOf(parts[i], PER_LAYER + gains[i].length);
      System.arraycopy(gains[i], 0, ofLayer, PER_LAYER, gains[i].length);
      layers[i] = scope.list(Arrays.asList(ofLayer));
    }
    this.all = scope.flatList(parts);
  }

  /** An adapter of zeros. */
  public static Adapter zeros(AdapterShape shape, Scope scope, NumberType type) {
    Tensor none = scope.call("nothing", false);
    boolean magnitudes = shape.kind().magnitudes();
    Tensor[][] parts = new Tensor[shape.layers()][PER_LAYER];
    Tensor[][] gains = new Tensor[shape.layers()][magnitudes ? 2 * AdapterShape.GROUPS : 0];
    for (int i = 0; i < parts.length; i++) {
      for (int g = 0; g < AdapterShape.GROUPS; g++) {
        long rank = shape.rows(i, g);
        boolean absent = rank == 0;
        parts[i][2 * g] = absent ? none : scope.call("zeros", new long[] {rank, shape.inputs(g)}, type);
        parts[i][2 * g + 1] = absent ? none : scope.call("zeros", new long[] {shape.outputs(g), rank}, type);
        if (magnitudes) {
          long[] rows = {shape.outputs(g)};
          gains[i][g] = absent ? none : scope.call("zeros", rows, type);
          gains[i][AdapterShape.GROUPS + g] = absent ? none : scope.call("zeros", rows, NumberType.F32);
        }
      }
    }
    long vocabulary = shape.config().vocabSize();
    long hidden = shape.config().hiddenSize();
    long e = shape.embeddingRank();
    long h = shape.headRank();
    Tensor[] outer = {
      e == 0 ? none : scope.call("zeros", new long[] {e, vocabulary}, type),
      e == 0 ? none : scope.call("zeros", new long[] {hidden, e}, type),
      h == 0 ? none : scope.call("zeros", new long[] {h, hidden}, type),
      h == 0 ? none : scope.call("zeros", new long[] {vocabulary, h}, type)};
    return new Adapter(shape, scope, parts, gains, outer);
  }

  /** The bytes of an adapter's tensors. */
  public static long bytes(AdapterShape shape, NumberType type) {
    long numbers = 0;
    long singles = 0;
    for (int i = 0; i < shape.layers(); i++) {
      for (int g = 0; g < AdapterShape.GROUPS; g++) {
        int layer = i;
        long rank = (shape.kind().startFrozen() ? 2 : 1)
            * Arrays.stream(shape.members(g)).mapToLong(module -> shape.moduleRank(layer, module)).sum();
        numbers += rank * (shape.inputs(g) + shape.outputs(g));
        if (shape.kind().magnitudes() && rank > 0) {
          numbers += shape.outputs(g);
          singles += shape.outputs(g);
        }
      }
    }
    long ends = (long) shape.config().vocabSize() + shape.config().hiddenSize();
    return (numbers + ((long) shape.embeddingRank() + shape.headRank()) * ends) * type.size() + singles * Float.BYTES;
  }

  /**
   * A copy that later changes of this adapter do not reach, with the gains in the scaled B's and without adapters of the
   * embeddings: all this is to be folded into the weights that go with it.
   */
  public Adapter folded(Scope scope) {
    Tensor none = scope.call("nothing", false);
    Tensor[][] copies = new Tensor[parts.length][PER_LAYER];
    for (int i = 0; i < parts.length; i++) {
      for (int j = 0; j < PER_LAYER; j++) {
        boolean scaled = j % 2 == 1 && gains[i].length > 0 && shape.rank(i, j / 2) > 0;
        copies[i][j] = scaled ? scope.call("gained", parts[i][j], gains[i][j / 2]) : scope.call("clone", parts[i][j]);
      }
    }
    return new Adapter(shape.folded(), scope, copies, new Tensor[parts.length][0], new Tensor[] {none, none, none, none});
  }

  /** What is adapted, and by which rank. */
  public AdapterShape shape() {
    return shape;
  }

  /** A [rank, inputs] of a fused product. */
  public Tensor a(int layer, int group) {
    return parts[layer][2 * group];
  }

  /** s B [outputs, rank] of a fused product. */
  public Tensor scaledB(int layer, int group) {
    return parts[layer][2 * group + 1];
  }

  /** Magnitude / norm of each row of a fused product. */
  public Tensor gain(int layer, int group) {
    return gains[layer][group];
  }

  /** 1 / norm of each row of a fused product, float32. */
  public Tensor inverseNorm(int layer, int group) {
    return gains[layer][AdapterShape.GROUPS + group];
  }

  /** A [rank, vocabulary] of the input embedding. */
  public Tensor embeddingA() {
    return outer[0];
  }

  /** s B [hidden, rank] of the input embedding. */
  public Tensor embeddingB() {
    return outer[1];
  }

  /** A [rank, hidden] of the output embedding. */
  public Tensor headA() {
    return outer[2];
  }

  /** s B [vocabulary, rank] of the output embedding. */
  public Tensor headB() {
    return outer[3];
  }

  Tensor layer(int i) {
    return layers[i];
  }

  Tensor allLayers() {
    return all;
  }
}
