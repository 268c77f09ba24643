package dev.fettle.internal.network;

import dev.fettle.internal.model.LayerConfig;
import dev.fettle.internal.model.LayerVector;
import dev.fettle.internal.model.Layout;
import dev.fettle.internal.model.OuterWeight;
import dev.fettle.internal.model.Product;
import dev.fettle.internal.torch.LayerKernels;
import dev.fettle.internal.torch.NativeList;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * Where the gradients of weights are added, or set where nothing has been added yet. A block of several linear layers holds
 * the rows of those only that are trained. Tensors are asked for when the backward pass comes to them: what is large is
 * not there before.
 */
public final class WeightGradients {
  /** Those of a layer: by {@link Product}, and by {@link LayerVector}. */
  record OfLayer(NativeList<Tensor> products, NativeList<Tensor> vectors) {}

  private final Layout layout;
  private final Scope scope;
  private final Function<Layout.Block, Tensor> tensor;
  private final Predicate<Layout.Block> trains;
  private final Tensor none;
  private final Map<Layout.Block, Tensor> outer = new HashMap<>();
  private final Map<Integer, OfLayer> layers = new HashMap<>();
  private final List<NativeList<long[]>> flags = new ArrayList<>();

  /**
   * @param tensor the gradient of a block that is trained
   * @param trains whether something of a block is trained
   * @param weight whether a weight is trained, by its full name
   */
  public WeightGradients(Layout layout, Scope scope, Function<Layout.Block, Tensor> tensor,
      Predicate<Layout.Block> trains, Predicate<String> weight) {
    this.layout = layout;
    this.scope = scope;
    this.tensor = tensor;
    this.trains = trains;
    this.none = scope.none();
    for (LayerConfig layer : layout.config().layers()) {
      List<long[]> ofLayer = new ArrayList<>();
      for (Product p : Product.values()) {
        ofLayer.add(layer.linears(p).stream().map(layer::module)
            .mapToLong(m -> (weight.test(m + ".weight") ? 1 : 0) + (weight.test(m + ".bias") ? 2 : 0)).toArray());
      }
      flags.add(scope.longLists(ofLayer));
    }
  }

  /** Asks for all tensors now, so that passes on several threads find them. */
  public void prepare() {
    for (int i = 0; i < layout.config().layers().size(); i++) {
      layer(i);
    }
    layout.blocks().stream().filter(Layout.Block::isOuter).forEach(this::outer);
  }

  OfLayer layer(int i) {
    return layers.computeIfAbsent(i, layer -> new OfLayer(list(layer, Product.values()), list(layer, LayerVector.values())));
  }

  private NativeList<Tensor> list(int layer, Enum<?>... places) {
    List<Tensor> out = new ArrayList<>();
    for (Enum<?> place : places) {
      out.add(place == LayerVector.ATTENTION_BIAS ? outer(OuterWeight.Place.ATTENTION_BIAS)
          : layout.block(layer, place).filter(trains).map(tensor).orElse(none));
    }
    return scope.list(out);
  }

  /** Which linear layers' weights and biases are trained, by {@link Product}; see {@link LayerKernels#layerBackward}. */
  NativeList<long[]> flags(int layer) {
    return flags.get(layer);
  }

  /** Of a weight outside the layers. */
  Tensor outer(OuterWeight.Place place) {
    return layout.outer(place).map(this::outer).orElse(none);
  }

  Tensor finalNorm() {
    return outer(OuterWeight.Place.FINAL_NORM);
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
    return layout.config().tiedEmbeddings();
  }
}
