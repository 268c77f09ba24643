package dev.fettle.internal.network;

import dev.fettle.internal.model.LayerConfig;
import dev.fettle.internal.model.LayerVector;
import dev.fettle.internal.model.Layout;
import dev.fettle.internal.model.OuterWeight;
import dev.fettle.internal.model.Product;
import dev.fettle.internal.torch.NativeList;
import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.Function;

/**
 * The {@link Weight} of each {@link Layout.Block} of a model, and the lists of them that kernels read. The scope that made
 * the weights owns them; this object owns nothing but the lists.
 */
public final class Weights {
  private final Layout layout;
  private final NumberType type;
  private final Map<Layout.Block, Weight> weights;
  private final Weight head;
  private final Tensor none;
  /** The bias of norms that have none, of a network whose norms are LayerNorms. */
  private final Tensor zero;
  private final List<List<List<Tensor>>> products = new ArrayList<>();
  private final List<List<Tensor>> vectors = new ArrayList<>();
  private final List<NativeList<NativeList<Tensor>>> nativeProducts = new ArrayList<>();
  private final List<NativeList<Tensor>> nativeVectors = new ArrayList<>();
  private final NativeList<Tensor> nativeEmbedding;
  private final NativeList<Tensor> nativeHead;

  /**
   * Weights from one a block; blocks that the function has none for are left empty.
   *
   * @param type in which is computed
   */
  public Weights(Layout layout, NumberType type, Scope scope, Function<Layout.Block, Weight> weight) {
    this(layout, type, scope, collected(layout, weight), null);
  }

  private Weights(Layout layout, NumberType type, Scope scope, Map<Layout.Block, Weight> weights, Weight head) {
    this.layout = layout;
    this.type = type;
    this.weights = weights;
    this.head = head != null ? head : weights.get(layout.head() == null ? layout.embedding() : layout.head());
    this.none = scope.none();
    this.zero = layout.config().architecture().layerNorms() ? scope.zeros(type, layout.config().hiddenSize()) : none;
    List<LayerConfig> layers = layout.config().layers();
    for (int i = 0; i < layers.size(); i++) {
      products.add(products(i, weights));
      vectors.add(vectors(i, scope.floats((float) layers.get(i).numbers().eps())));
      nativeProducts.add(scope.lists(products.get(i)));
      nativeVectors.add(scope.list(vectors.get(i)));
    }
    this.nativeEmbedding = scope.list(weights.get(layout.embedding()).tensors());
    this.nativeHead = scope.list(this.head == null ? List.of() : this.head.tensors());
  }

  private static Map<Layout.Block, Weight> collected(Layout layout, Function<Layout.Block, Weight> weight) {
    Map<Layout.Block, Weight> out = new HashMap<>();
    for (Layout.Block block : layout.blocks()) {
      Weight w = weight.apply(block);
      if (w != null) {
        out.put(block, w);
      }
    }
    return out;
  }

  /** Newly allocated weights, all zero. */
  public static Weights zeros(Layout layout, Scope scope, NumberType type) {
    return zeros(layout, scope, type, block -> WeightForm.DENSE);
  }

  /** The same, each block in a form. */
  public static Weights zeros(Layout layout, Scope scope, NumberType type, Function<Layout.Block, WeightForm> form) {
    return new Weights(layout, type, scope, block -> form.apply(block).zeros(scope, type, block.shape()));
  }

  /** The same with another form of the matrices of the layers and of the output embedding, made in a scope. */
  Weights with(Scope into, BiFunction<Layout.Block, Weight, Weight> form) {
    Map<Layout.Block, Weight> changed = new HashMap<>();
    weights.forEach((block, w) -> changed.put(block, block.isProduct() ? form.apply(block, w) : w));
    return new Weights(layout, type, into, changed, layout.config().isCausalLm()
        ? form.apply(layout.head() == null ? layout.embedding() : layout.head(), head) : head);
  }

  /** The same with copies of the layers' matrices in the order in which oneDNN reads them. */
  public Weights packed(Scope into) {
    return with(into, (block, w) -> w instanceof Weight.Dense dense
        ? new Weight.Dense(dense.values(), type, into.kernels().pack(dense.values(), 1)) : w);
  }

  private static List<List<Tensor>> products(int layer, Map<Layout.Block, Weight> weights) {
    List<List<Tensor>> out = new ArrayList<>();
    for (Product p : Product.values()) {
      Weight w = weights.get(new Layout.Block(layer, p, null));
      out.add(w == null ? List.of() : w.tensors());
    }
    return out;
  }

  private List<Tensor> vectors(int layer, Tensor eps) {
    List<Tensor> out = new ArrayList<>();
    for (LayerVector v : LayerVector.values()) {
      Weight w = weights.get(new Layout.Block(layer, v, null));
      out.add(v == LayerVector.EPS ? eps : v == LayerVector.ATTENTION_BIAS ? outer(OuterWeight.Place.ATTENTION_BIAS)
          : w != null ? w.tensors().get(0) : isBiasOfNorm(layer, v) ? zero : none);
    }
    return out;
  }

  /** Whether a vector is the bias that a layer's LayerNorm does not have. */
  private boolean isBiasOfNorm(int layer, LayerVector v) {
    return layout.config().architecture().layerNorms() && v.name().endsWith("NORM_BIAS")
        && layout.block(layer, LayerVector.values()[v.ordinal() - 1]).isPresent();
  }

  /** What these weights are laid out by. */
  public Layout layout() {
    return layout;
  }

  /** The number type in which is computed. */
  public NumberType type() {
    return type;
  }

  /** The weight of a block; {@code null} if it has none. */
  public Weight weight(Layout.Block block) {
    return weights.get(block);
  }

  /** A weight outside the layers as numbers; an empty tensor where the model has none. */
  Tensor outer(OuterWeight.Place place) {
    boolean bias = place == OuterWeight.Place.EMBEDDING_NORM_BIAS || place == OuterWeight.Place.FINAL_NORM_BIAS;
    return layout.outer(place).map(weights::get).map(w -> w.tensors().get(0)).orElse(bias ? zero : none);
  }

  /** The input embedding [vocabulary, hidden], as kernels take rows of it. */
  NativeList<Tensor> embedding() {
    return nativeEmbedding;
  }

  /** [hidden]. */
  Tensor finalNorm() {
    return outer(OuterWeight.Place.FINAL_NORM);
  }

  /** The output embedding [vocabulary, hidden]; the input embedding where the two are one. */
  public Weight headWeight() {
    return head;
  }

  /** The output embedding, as kernels multiply with it. */
  NativeList<Tensor> head() {
    return nativeHead;
  }

  /** The weights of a layer by {@link Product}. */
  NativeList<NativeList<Tensor>> products(int layer) {
    return nativeProducts.get(layer);
  }

  /** The vectors of a layer by {@link LayerVector}. */
  NativeList<Tensor> vectors(int layer) {
    return nativeVectors.get(layer);
  }

  /** The weights of all layers. */
  NativeList<NativeList<NativeList<Tensor>>> allProducts(Scope into) {
    return into.kernels().nestLists(into.lists(products.stream().flatMap(List::stream).toList()), Product.values().length);
  }

  /** The vectors of all layers. */
  NativeList<NativeList<Tensor>> allVectors(Scope into) {
    return into.lists(vectors);
  }
}
