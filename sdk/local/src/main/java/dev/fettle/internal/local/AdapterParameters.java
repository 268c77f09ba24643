package dev.fettle.internal.local;

import dev.fettle.InvalidInputException;
import dev.fettle.Lora;
import dev.fettle.internal.checkpoint.AdapterConfig;
import dev.fettle.internal.local.ParameterVector.Parameter;
import dev.fettle.internal.model.AdapterShape;
import dev.fettle.internal.model.LayerVector;
import dev.fettle.internal.model.Layout;
import dev.fettle.internal.model.Product;
import dev.fettle.internal.network.Adapter;
import dev.fettle.internal.network.AdapterGradients;
import dev.fettle.internal.network.Weight;
import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import dev.fettle.internal.torch.Torch;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * The adapters of a training. They come first in the vector: for each product of each layer the A's of its modules,
 * their B's, the biases of these, the magnitudes; then A and B of the input and of the output embedding.
 */
final class AdapterParameters {
  /** Numbers of a weight that are looked at once. */
  private static final long AT_ONCE = 1 << 20;

  private Lora lora;
  private final AdapterConfig settings;
  private final AdapterShape shape;
  private final List<Parameter> parameters = new ArrayList<>();
  private final Map<String, Parameter> byName = new HashMap<>();
  private ParameterVector vector;
  private Function<Layout.Block, Weight> base;
  private Layout layout;
  private Adapter adapter;
  private Views values;
  private Tensor start;
  private final Map<Layout.Block, Weight> biases = new HashMap<>();

  /**
   * Views of a vector in this part's order.
   *
   * @param layers for each product of a layer that carries an adapter: A's, B's, their biases, magnitudes; empty where
   *     there are none
   * @param embedding A and B of the input embedding, if it carries an adapter
   * @param head the same of the output embedding
   */
  private record Views(List<Map<Product, Part>> layers, List<Tensor> embedding, List<Tensor> head) {}

  /** Those of a product. */
  private record Part(Tensor a, Tensor b, Tensor bias, Tensor magnitude) {
    List<Tensor> tensors() {
      return List.of(a, b, bias, magnitude);
    }
  }

  /** What is done for a product that carries an adapter. */
  @FunctionalInterface
  private interface ProductAction {
    void run(int layer, Product product);
  }

  AdapterParameters(Lora lora, AdapterConfig settings, AdapterShape shape) {
    this.lora = lora;
    this.settings = settings;
    this.shape = shape;
    forEachProduct((layer, product) -> {
      for (AdapterNames.Kind kind : AdapterNames.Kind.of(shape.kind())) {
        for (AdapterShape.Member member : shape.members(layer, product)) {
          if (member.isAdapted()) {
            add(kind.name(member.stored()), kind.dimensions(member, shape.inputs(layer, product)), kind);
          }
        }
      }
    });
    long hidden = shape.config().hiddenSize();
    long vocabulary = shape.config().vocabSize();
    if (shape.embedding().isAdapted()) {
      add(AdapterNames.embeddingA(shape), new long[] {shape.embedding().rank(), vocabulary}, AdapterNames.Kind.A);
      add(AdapterNames.embeddingB(shape), new long[] {hidden, shape.embedding().rank()}, AdapterNames.Kind.A);
    }
    if (shape.head().isAdapted()) {
      add(AdapterNames.Kind.A.name(shape.head().name()), new long[] {shape.head().rank(), hidden}, AdapterNames.Kind.A);
      add(AdapterNames.Kind.B.name(shape.head().name()), new long[] {vocabulary, shape.head().rank()}, AdapterNames.Kind.B);
    }
  }

  private void forEachProduct(ProductAction action) {
    for (int layer = 0; layer < shape.layers(); layer++) {
      for (Product product : shape.adapted(layer)) {
        action.run(layer, product);
      }
    }
  }

  private void add(String name, long[] dimensions, AdapterNames.Kind kind) {
    ScaledGroup rule = new ScaledGroup(lora.rate(), kind == AdapterNames.Kind.B ? lora.learningRateRatio() : 1);
    Parameter p = new Parameter(name, size(), dimensions, rule);
    parameters.add(p);
    byName.put(name, p);
  }

  List<Parameter> parameters() {
    return parameters;
  }

  Parameter parameter(String name) {
    return byName.get(name);
  }

  /** How many adapters one of these holds side by side. */
  int copies(Parameter p) {
    return shape.copies(AdapterNames.module(p.name()));
  }

  /** The module that one of these is of. */
  String module(Parameter p) {
    return shape.module(AdapterNames.module(p.name()));
  }

  long size() {
    return parameters.isEmpty() ? 0 : parameters.get(parameters.size() - 1).offset() + parameters.get(parameters.size() - 1).size();
  }

  /** The bytes of what is held beside the vector: the adapter as the network reads it, biases, the start. */
  long heldBytes(NumberType type) {
    long[] biased = {0};
    if (shape.kind().biases()) {
      forEachProduct((layer, product) -> biased[0] += shape.outputs(layer, product));
    }
    return Adapter.bytes(shape, type) + biased[0] * type.size() + (shape.kind().startFrozen() ? size() * Float.BYTES : 0);
  }

  /** Takes its place in a vector, over base weights that stay as they are. */
  void bind(Scope scope, ParameterVector into, Layout weights, Function<Layout.Block, Weight> frozen, NumberType type) {
    vector = into;
    layout = weights;
    base = frozen;
    adapter = Adapter.zeros(shape, scope, type);
    values = views(scope, into.values());
    if (shape.kind().startFrozen()) {
      start = scope.zeros(NumberType.F32, size());
    }
    if (shape.kind().biases()) {
      forEachProduct((layer, product) -> biases.put(block(layer, LayerVector.biasOf(product)),
          new Weight.Dense(scope.zeros(type, shape.outputs(layer, product)), type)));
    }
  }

  private Views views(Scope scope, Tensor of) {
    List<Map<Product, Part>> layers = new ArrayList<>();
    for (int layer = 0; layer < shape.layers(); layer++) {
      layers.add(new HashMap<>());
    }
    Tensor none = scope.none();
    long[] at = {0};
    forEachProduct((layer, product) -> {
      long rows = shape.adaptedOutputs(layer, product);
      layers.get(layer).put(product, new Part(
          next(scope, of, at, shape.rank(layer, product), shape.inputs(layer, product)),
          next(scope, of, at, shape.sizeOfB(layer, product)),
          shape.kind().biases() ? next(scope, of, at, rows) : none,
          shape.kind().magnitudes() ? next(scope, of, at, rows) : none));
    });
    return new Views(layers, outer(scope, of, AdapterNames.embeddingA(shape), AdapterNames.embeddingB(shape)),
        outer(scope, of, AdapterNames.Kind.A.name(shape.head().name()), AdapterNames.Kind.B.name(shape.head().name())));
  }

  private static Tensor next(Scope scope, Tensor of, long[] at, long... dimensions) {
    Tensor view = scope.kernels().viewSlice(of, at[0], dimensions);
    at[0] += Parameter.size(dimensions);
    return view;
  }

  private List<Tensor> outer(Scope scope, Tensor of, String... names) {
    return Stream.of(names).filter(byName::containsKey).map(byName::get)
        .map(p -> scope.kernels().viewSlice(of, p.offset(), p.shape())).toList();
  }

  AdapterGradients gradients(Scope scope, Tensor of) {
    Views views = views(scope, of);
    List<Map<Product, List<Tensor>>> parts = new ArrayList<>();
    for (Map<Product, Part> layer : views.layers) {
      Map<Product, List<Tensor>> tensors = new HashMap<>();
      layer.forEach((product, part) -> tensors.put(product, part.tensors()));
      parts.add(tensors);
    }
    return new AdapterGradients(scope, parts, views.embedding, views.head);
  }

  /**
   * PEFT's start: A uniform within 1 / sqrt(inputs) (kaiming_uniform with a = sqrt 5), B zero; of the input embedding A
   * zero, B normal; magnitudes the lengths of the rows; or A and B from the singular values.
   */
  void initialise() {
    Torch.get().seed(lora.seed());
    for (Parameter p : parameters) {
      try (Scope step = new Scope()) {
        Tensor into = vector.values(step, p);
        if (p.name().equals(AdapterNames.embeddingB(shape))) {
          step.kernels().copy(into, step.kernels().normal(p.shape(), 1, NumberType.F32, step.device()));
        } else if (AdapterNames.Kind.A.is(p.name()) && !shape.kind().startFrozen()) {
          step.kernels().copy(into, step.kernels().uniform(p.shape(), 1 / Math.sqrt((double) p.shape()[1]), step.device()));
        }
      }
    }
    if (shape.kind().startFrozen() || shape.kind().magnitudes()) {
      forEachProduct((layer, product) -> {
        int row = 0;
        for (AdapterShape.Member member : shape.members(layer, product)) {
          if (member.isAdapted()) {
            fromWeight(block(layer, product), member, row);
          }
          row += member.outputs();
        }
      });
    }
    if (shape.kind().startFrozen()) {
      try (Scope step = new Scope()) {
        step.kernels().copy(start, step.kernels().viewSlice(vector.values(), 0, new long[] {size()}));
      }
    }
  }

  private void fromWeight(Layout.Block block, AdapterShape.Member member, int row) {
    Weight weight = base.apply(block);
    if (!shape.kind().startFrozen()) {
      magnitudes(weight, member, row);
      return;
    }
    try (Scope step = new Scope()) {
      Parameter a = byName.get(AdapterNames.Kind.A.name(member.name()));
      if (a.shape()[0] > Math.min(a.shape()[1], member.outputs())) {
        throw new InvalidInputException("pissa(): rank " + a.shape()[0] + " is more than " + member.name()
            + " has singular values");
      }
      Tensor[] pair = step.kernels().pissaInit(weight.dense(step, row, member.outputs()), a.shape()[0], member.scale());
      step.kernels().copy(vector.values(step, a), pair[0]);
      step.kernels().copy(vector.values(step, byName.get(AdapterNames.Kind.B.name(member.name()))), pair[1]);
    }
  }

  /** The lengths of rows, of some at a time: no module of a quantised model becomes dense as a whole. */
  private void magnitudes(Weight weight, AdapterShape.Member member, int row) {
    Parameter magnitude = byName.get(AdapterNames.Kind.MAGNITUDE.name(member.name()));
    long columns = weight.shape()[1];
    long rows = Math.max(1, AT_ONCE / columns);
    for (long from = 0; from < member.outputs(); from += rows) {
      try (Scope step = new Scope()) {
        long count = Math.min(rows, member.outputs() - from);
        Tensor into = step.kernels().viewSlice(vector.values(step, magnitude), from, new long[] {count});
        step.kernels().copy(into, step.kernels().rowNorms(weight.dense(step, row + from, count),
            step.zeros(NumberType.F32, 1, columns), step.zeros(NumberType.F32, count, 1)));
      }
    }
  }

  private static Layout.Block block(int layer, Enum<?> place) {
    return new Layout.Block(layer, place, null);
  }

  /** Brings what the kernels read up to date with the vector. */
  void refresh() {
    try (Scope step = new Scope()) {
      forEachProduct((layer, product) -> refresh(step, layer, product));
      refresh(step, adapter.embedding(), values.embedding, shape.embedding().scale());
      refresh(step, adapter.head(), values.head, shape.head().scale());
    }
  }

  private static void refresh(Scope step, Adapter.Pair pair, List<Tensor> of, double scale) {
    if (pair != null) {
      step.kernels().scaled(pair.a(), of.get(0), 1);
      step.kernels().scaled(pair.scaledB(), of.get(1), scale);
    }
  }

  private void refresh(Scope step, int layer, Product product) {
    Part of = values.layers.get(layer).get(product);
    Adapter.Pair pair = adapter.pair(layer, product);
    long[] blocks = shape.blocks(layer, product);
    double[] scales = shape.scales(layer, product);
    if (product.isOfExperts()) {
      AdapterShape.Member member = shape.members(layer, product).get(0);
      step.kernels().expertsAdapterRefresh(of.a, of.b, member.copies(), member.scale(), pair.a(), pair.scaledB());
      return;
    }
    if (shape.kind().startFrozen()) {
      long rank = shape.rank(layer, product);
      step.kernels().adapterRefresh(of.a, of.b, blocks, scales, step.kernels().rows(pair.a(), 0, rank),
          step.kernels().columns(pair.scaledB(), 0, rank));
    } else {
      step.kernels().adapterRefresh(of.a, of.b, blocks, scales, pair.a(), pair.scaledB());
    }
    if (shape.kind().magnitudes()) {
      step.kernels().gainRefresh(step.list(base.apply(block(layer, product)).tensors()), pair.a(), pair.scaledB(), of.magnitude,
          blocks, pair.gain(), pair.inverseNorm());
    }
    if (shape.kind().biases()) {
      Layout.Block bias = block(layer, LayerVector.biasOf(product));
      Weight frozen = base.apply(bias);
      step.kernels().biasRefresh(frozen == null ? step.none() : frozen.dense(step), of.bias, blocks, scales,
          biases.get(bias).dense(step));
    }
  }

  /** Writes the start that is taken off again to where the kernels read it: after the A's and, negated, after the B's. */
  void refreshStart() {
    if (start == null) {
      return;
    }
    try (Scope step = new Scope()) {
      Views of = views(step, start);
      forEachProduct((layer, product) -> {
        long rank = shape.rank(layer, product);
        Part part = of.layers.get(layer).get(product);
        Adapter.Pair pair = adapter.pair(layer, product);
        double[] negated = Arrays.stream(shape.scales(layer, product)).map(s -> -s).toArray();
        step.kernels().adapterRefresh(part.a, part.b, shape.blocks(layer, product), negated,
            step.kernels().rows(pair.a(), rank, rank), step.kernels().columns(pair.scaledB(), rank, rank));
      });
    }
  }

  /** Whether {@link #folded} has a tensor for a block. */
  boolean folds(Layout.Block block) {
    if (block.isOuter()) {
      return block.equals(layout.embedding()) && shape.embedding().isAdapted()
          || block.equals(layout.head()) && shape.head().isAdapted();
    }
    boolean gained = shape.kind().magnitudes() && block.place() instanceof Product p && shape.rank(block.layer(), p) > 0;
    if (gained) {
      return true;
    }
    return biases.containsKey(block);
  }

  /** A base weight with what the sampler's adapter does not say: gains, biases, adapters of embeddings; or {@code null}. */
  Weight folded(Scope scope, Layout.Block block, Weight weight, NumberType type) {
    if (block.isOuter()) {
      return foldedEmbedding(scope, block, weight, type);
    }
    if (biases.containsKey(block)) {
      return new Weight.Dense(scope.kernels().clone(biases.get(block).dense(scope)), type);
    }
    boolean gained = shape.kind().magnitudes() && block.place() instanceof Product p && shape.rank(block.layer(), p) > 0;
    if (!gained) {
      return null;
    }
    Tensor gain = adapter.pair(block.layer(), (Product) block.place()).gain();
    Optional<Weight> scaled = weight instanceof Weight.Quantised q ? q.scaled(scope, gain) : Optional.empty();
    return scaled.orElseGet(() -> new Weight.Dense(scope.kernels().scaleRows(weight.dense(scope), gain), type));
  }

  private Weight foldedEmbedding(Scope scope, Layout.Block block, Weight weight, NumberType type) {
    try (Scope step = new Scope()) {
      Tensor sum = null;
      if (block.equals(layout.embedding()) && shape.embedding().isAdapted()) {
        sum = step.kernels().mergedEmbedding(weight.dense(step), values.embedding.get(0), values.embedding.get(1),
            shape.embedding().scale());
      } else if (block.equals(layout.head()) && shape.head().isAdapted()) {
        sum = step.kernels().merged(weight.dense(step), values.head.get(0), values.head.get(1), shape.head().scale());
      }
      return sum == null ? null : new Weight.Dense(scope.kernels().cast(sum, type), type);
    }
  }

  /** The bias of a product with the trained ones, where there are any. */
  Weight bias(Layout.Block block) {
    return biases.get(block);
  }

  /** Whether something is folded into weights that the sampler's adapter does not say. */
  boolean folds() {
    return shape.kind().magnitudes() || shape.embedding().isAdapted() || shape.head().isAdapted();
  }

  /** What A and B were at the start, in this part's order, where that is taken off again; else {@code null}. */
  Tensor start() {
    return start;
  }

  Adapter adapter() {
    return adapter;
  }

  AdapterShape shape() {
    return shape;
  }

  /** The adapter's settings in PEFT's terms. */
  AdapterConfig settings() {
    return settings;
  }

  Lora lora() {
    return lora;
  }

  void seed(long seed) {
    lora = lora.seed(seed);
  }
}
