package dev.fettle.internal.model;

import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;

/**
 * The low-rank adapters of a model in the form that the kernels read: for each of the four fused products of a layer
 * (qkv, o, gate-up, down) the A's below each other and the scaled B's on a diagonal. Empty tensors where a product has
 * no adapter. The scope given owns the tensors.
 */
public final class Adapter {
  /** A and sB of the fused products of a layer. */
  static final int PER_LAYER = 8;

  private final AdapterShape shape;
  private final Tensor[][] parts;
  private final Tensor[] layers;
  private final Tensor all;

  private Adapter(AdapterShape shape, Scope scope, Tensor[][] parts) {
    this.shape = shape;
    this.parts = parts;
    this.layers = scope.lists(parts);
    this.all = scope.flatList(parts);
  }

  /** An adapter of zeros. */
  public static Adapter zeros(AdapterShape shape, Scope scope, NumberType type) {
    Tensor none = scope.call("nothing", false);
    Tensor[][] parts = new Tensor[shape.layers()][PER_LAYER];
    for (int i = 0; i < parts.length; i++) {
      for (int g = 0; g < AdapterShape.GROUPS; g++) {
        long rank = shape.rank(i, g);
        boolean absent = rank == 0;
        parts[i][2 * g] = absent ? none : scope.call("zeros", new long[] {rank, shape.inputs(g)}, type);
        parts[i][2 * g + 1] = absent ? none : scope.call("zeros", new long[] {shape.outputs(g), rank}, type);
      }
    }
    return new Adapter(shape, scope, parts);
  }

  /** A copy that later changes of this adapter do not reach. */
  public Adapter copy(Scope scope) {
    Tensor[][] copies = new Tensor[parts.length][PER_LAYER];
    for (int i = 0; i < parts.length; i++) {
      for (int j = 0; j < PER_LAYER; j++) {
        copies[i][j] = scope.call("clone", parts[i][j]);
      }
    }
    return new Adapter(shape, scope, copies);
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

  Tensor layer(int i) {
    return layers[i];
  }

  Tensor allLayers() {
    return all;
  }
}
