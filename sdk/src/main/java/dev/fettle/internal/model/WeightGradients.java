package dev.fettle.internal.model;

import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * Where the gradients of weights are added, or set where nothing has been added yet. A block of several projections holds
 * the rows of those only that are trained. Tensors are asked for when the backward pass comes to them: what is large is
 * not there before.
 */
public final class WeightGradients {
  private final Layout layout;
  private final Scope scope;
  private final Function<Layout.Block, Tensor> tensor;
  private final Predicate<Layout.Block> trains;
  private final Tensor none;
  private final Map<Layout.Block, Tensor> outer = new HashMap<>();
  private final Tensor[] layers;
  private final long[][] trained;

  /**
   * @param tensor the gradient of a block that is trained
   * @param trains whether something of a block is trained
   * @param projection whether a projection is trained, by its full name
   */
  public WeightGradients(Layout layout, Scope scope, Function<Layout.Block, Tensor> tensor,
      Predicate<Layout.Block> trains, Predicate<String> projection) {
    this.layout = layout;
    this.scope = scope;
    this.tensor = tensor;
    this.trains = trains;
    this.none = scope.call("nothing", false);
    this.layers = new Tensor[layout.config().layers()];
    this.trained = new long[layers.length][AdapterShape.MODULES.size()];
    for (int i = 0; i < trained.length; i++) {
      for (int j = 0; j < trained[i].length; j++) {
        trained[i][j] = projection.test(AdapterShape.module(layout.config(), i, j)) ? 1 : 0;
      }
    }
  }

  /** Asks for all tensors now, so that passes on several threads find them. */
  public void prepare() {
    for (int i = 0; i < layers.length; i++) {
      layer(i);
    }
    layout.blocks().stream().filter(block -> block.layer() < 0).forEach(this::outer);
  }

  Tensor layer(int i) {
    if (layers[i] == null) {
      List<Tensor> parts = new ArrayList<>(Collections.nCopies(Layout.PER_LAYER, none));
      for (Layout.Block block : layout.blocks()) {
        if (block.layer() == i && trains.test(block)) {
          parts.set(block.index(), tensor.apply(block));
        }
      }
      layers[i] = scope.list(parts);
    }
    return layers[i];
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
    return layout.blocks().stream().filter(b -> b.layer() < 0 && b.index() == index).findFirst().map(this::outer)
        .orElse(none);
  }

  Tensor finalNorm() {
    return outer(layout.finalNorm());
  }

  Tensor head() {
    return outer(tied() ? layout.embedding() : layout.head());
  }

  Tensor embedding() {
    return outer(layout.embedding());
  }

  private Tensor outer(Layout.Block block) {
    return trains.test(block) ? outer.computeIfAbsent(block, tensor) : none;
  }

  boolean hasEmbedding() {
    return trains.test(layout.embedding());
  }

  /** Whether the gradient of the embedding is also that of the head, which comes first. */
  boolean tied() {
    return layout.head() == null;
  }
}
