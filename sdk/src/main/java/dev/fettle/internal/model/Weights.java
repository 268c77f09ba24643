package dev.fettle.internal.model;

import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Function;

/**
 * One tensor for each {@link Layout.Block} of a model: the weights, or their gradients. The scope that made the tensors
 * owns them; this object owns nothing but the lists it hands to kernels.
 */
public final class Weights {
  private final Layout layout;
  private final Map<Layout.Block, Tensor> tensors;
  private final Tensor[] outer = new Tensor[Layout.OUTER];
  private final Tensor[][] parts;
  private final Tensor[] layers;

  /** Weights from a tensor a block; blocks that the function has none for are left empty. */
  public Weights(Layout layout, Scope scope, Function<Layout.Block, Tensor> tensor) {
    this.layout = layout;
    this.tensors = new HashMap<>();
    Tensor none = scope.call("nothing", false);
    this.parts = new Tensor[layout.config().layers()][Layout.PER_LAYER];
    Arrays.fill(outer, none);
    for (Tensor[] part : parts) {
      Arrays.fill(part, none);
    }
    for (Layout.Block block : layout.blocks()) {
      Tensor t = tensor.apply(block);
      if (t != null) {
        tensors.put(block, t);
        if (block.layer() < 0) {
          outer[block.index()] = t;
        } else {
          parts[block.layer()][block.index()] = t;
        }
      }
    }
    this.layers = scope.lists(parts);
  }

  /** Newly allocated weights, all zero. */
  public static Weights zeros(Layout layout, Scope scope, NumberType type) {
    return new Weights(layout, scope, block -> scope.call("zeros", block.shape(), type));
  }

  /** No weights at all: the gradients where nothing is trained. */
  public static Weights none(Layout layout, Scope scope) {
    return new Weights(layout, scope, block -> null);
  }

  /** What these weights are laid out by. */
  public Layout layout() {
    return layout;
  }

  /** The tensor of a block; {@code null} if it has none. */
  public Tensor tensor(Layout.Block block) {
    return tensors.get(block);
  }

  /** [vocabulary, hidden]. */
  public Tensor embedding() {
    return outer[Layout.EMBEDDING];
  }

  /** [hidden]. */
  public Tensor finalNorm() {
    return outer[Layout.FINAL_NORM];
  }

  /** A tensor outside the layers. */
  Tensor outer(int index) {
    return outer[index];
  }

  /** [vocabulary, hidden]; the embedding itself where the two are tied. */
  public Tensor head() {
    return layout.config().tiedEmbeddings() ? embedding() : outer[Layout.HEAD];
  }

  /** The tensors of a layer as a native list. */
  Tensor layer(int i) {
    return layers[i];
  }

  /** The tensors of a layer; a copy of the array. */
  Tensor[] layerTensors(int i) {
    return parts[i].clone();
  }
}
