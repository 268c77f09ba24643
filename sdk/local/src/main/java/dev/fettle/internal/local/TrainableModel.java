package dev.fettle.internal.local;

import dev.fettle.MemoryPlan;
import dev.fettle.Trainable;
import dev.fettle.Tuning;
import dev.fettle.internal.local.ParameterVector.Parameter;
import dev.fettle.internal.model.LayerConfig;
import dev.fettle.internal.model.Layout;
import dev.fettle.internal.model.OuterWeight;
import dev.fettle.internal.network.Adapter;
import dev.fettle.internal.network.Network;
import dev.fettle.internal.network.PackedAdapter;
import dev.fettle.internal.network.Weight;
import dev.fettle.internal.network.Weights;
import dev.fettle.internal.torch.Memory;
import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Scope;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a training changes, and the weights that the network runs with: adapters, weights trained in full, weights that an
 * adapter's file brought along, and for the rest those of the base model, which others may share. Owned by its training.
 */
final class TrainableModel implements Running, AutoCloseable {
  private final Tuning tuning;
  private final LocalModel model;
  private final Layout layout;
  private final AdapterParameters adapters;
  private final FullParameters full;
  private final BaseWeightOverrides brought;
  private final NumberType type;
  private final Scope scope = new Scope();
  private final ParameterVector parameters;
  private final GradientVectors gradients;
  private final Weights weights;
  private final Memory.Held held;

  /** @param layout that of the model, or the same untied */
  TrainableModel(Tuning tuning, LocalModel model, Layout layout, AdapterParameters adapters,
      FullParameters full, BaseWeightOverrides brought) {
    this.tuning = tuning;
    this.model = model;
    this.layout = layout;
    this.adapters = adapters;
    this.full = full;
    this.brought = brought;
    this.type = NumberType.of(model.dtype());
    List<Parameter> all = new ArrayList<>(adapters.parameters());
    all.addAll(full.parameters());
    this.parameters = new ParameterVector(scope, all);
    this.gradients = new GradientVectors(adapters, full);
    adapters.bind(scope, parameters, layout, this::frozen, type);
    full.bind(scope, parameters, this::frozen, type);
    boolean shared = full.isEmpty() && brought.isEmpty() && !adapters.shape().kind().biases()
        && layout.config().tiedEmbeddings() == model.config().tiedEmbeddings();
    this.weights = shared ? model.weights() : new Weights(running(), type, scope, this::current);
    this.held = Memory.get().promise(this::memoryPlan, this::presentBytes);
  }

  /** The layout with room for biases that adapters bring where the model has none. */
  private Layout running() {
    return adapters.shape().kind().biases() ? Layout.of(layout.config().withBiases()) : layout;
  }

  /** A block below adapters and full training. */
  Weight frozen(Layout.Block block) {
    Weight own = brought.block(inModel(block));
    return own != null ? own : model.weights().weight(inModel(block));
  }

  /** Where a block lies in the model, whose embeddings may be one. */
  private Layout.Block inModel(Layout.Block block) {
    Layout of = model.layout();
    return block.equals(layout.head()) && of.head() == null ? of.embedding() : block;
  }

  /** Whether a block goes with this training. */
  private boolean isOwn(Layout.Block block) {
    return full.own(block) != null || brought.block(inModel(block)) != null;
  }

  /** A block as the network reads it; {@code null} if the model has none. */
  private Weight current(Layout.Block block) {
    Weight own = full.own(block);
    Weight bias = own == null ? adapters.bias(block) : own;
    return bias == null ? frozen(block) : bias;
  }

  Tuning tuning() {
    return tuning;
  }

  /** That of the model, or the same untied: what a merged model has. */
  Layout layout() {
    return layout;
  }

  AdapterParameters adapters() {
    return adapters;
  }

  FullParameters full() {
    return full;
  }

  BaseWeightOverrides brought() {
    return brought;
  }

  ParameterVector parameters() {
    return parameters;
  }

  @Override
  public Weights weights() {
    return weights;
  }

  @Override
  public Adapter adapter() {
    return adapters.adapter();
  }

  /** What the file of an adapter calls a parameter: a bias of an adapted module belongs to what PEFT has wrapped. */
  String nameInFiles(Parameter p) {
    String module = p.name().replaceFirst("\\.bias$", "");
    return full.isBias(p) && adapters.shape().isAdapted(module) ? module + ".base_layer.bias" : p.name();
  }

  /** Where gradients are added. */
  GradientVectors gradients() {
    return gradients;
  }

  /** What it holds and is to hold from step to step. */
  MemoryPlan memoryPlan() {
    return model.memory().training(adapters, full, brought, promisedGradients());
  }

  /** The bytes of gradients that are promised beside passes: large ones come into being within these. */
  long promisedGradients() {
    long lasting = GradientVectors.isLarge(adapters, full) ? 0 : lanes() * parameters.size() * Float.BYTES;
    return Math.max(lasting, gradients.presentBytes());
  }

  private long presentBytes() {
    return memoryPlan().bytes(MemoryPlanner.PARAMETERS) - parameters.size() * Float.BYTES + parameters.presentBytes()
        + gradients.presentBytes();
  }

  /** What {@link #freeze} copies. */
  MemoryPlan freezing() {
    long bytes = PackedAdapter.bytes(adapters.shape(), type);
    if (!sharesAllWhenFrozen()) {
      for (Layout.Block block : running().blocks()) {
        boolean copied = isOwn(block) || adapters.folds(block);
        bytes += !copied ? 0 : !isOwn(block) && block.isProduct() && frozen(block) instanceof Weight.Quantised q ? q.scaledBytes()
            : block.size() * type.size();
      }
    }
    return MemoryPlanner.plan(MemoryPlanner.SNAPSHOT, bytes);
  }

  private boolean sharesAllWhenFrozen() {
    return !adapters.folds() && weights.layout() == model.layout() && full.isEmpty() && brought.isEmpty();
  }

  /** In how many lanes a pass runs at most. */
  int lanes() {
    return lanes(DataParallel.most());
  }

  /** The same with so many threads. */
  int lanes(int threads) {
    // Masks are drawn from one generator, in one order.
    return dropout() == 0 ? GradientVectors.lanes(adapters, full, threads) : 1;
  }

  /** Whether the output embedding has become a weight of its own. */
  boolean untied() {
    return model.config().tiedEmbeddings() && !layout.config().tiedEmbeddings();
  }

  /** The lowest layer into which the backward pass must go, or {@link Network#TO_EMBEDDING}. */
  @Override
  public int lowestLayer() {
    boolean below = !model.config().isCausalLm() && full.trainsEmbeddings();
    if (below || adapters.shape().embedding().isAdapted() || full.trains(layout.embedding())) {
      return Network.TO_EMBEDDING;
    }
    return Math.min(adapters.shape().lowestLayer(), full.lowestLayer());
  }

  /** The dropout probability of the adapters' inputs. */
  double dropout() {
    return adapters.settings().dropout();
  }

  /** Seeds the dropout. */
  long seed() {
    return adapters.lora().seed();
  }

  /** Brings what the kernels read up to date with the parameters. */
  void refresh() {
    full.refresh();
    adapters.refresh();
  }

  /** Whether it reads the base model's weights in memory. */
  boolean sharesBase() {
    return !full.isAll();
  }

  /** Weights and adapter that no longer change. */
  record Frozen(Weights weights, PackedAdapter adapter) {}

  /** The present weights and adapter, copied as far as later steps would change them. */
  Frozen freeze(Scope into) {
    PackedAdapter adapter = PackedAdapter.of(adapters.adapter(), into, type);
    if (sharesAllWhenFrozen()) {
      return new Frozen(weights, adapter);
    }
    return new Frozen(new Weights(running(), type, into, block -> {
      Weight now = current(block);
      Weight folded = now == null ? null : adapters.folded(into, block, now, type);
      return folded != null ? folded : now != null && isOwn(block) ? new Weight.Dense(into.kernels().clone(now.dense(into)), type) : now;
    }), adapter);
  }

  /** The modules of the table, in order, each with how it is trained. */
  Trainable trainable() {
    Map<String, Trainable.Row> rows = new LinkedHashMap<>();
    Map<String, Long> ranks = new HashMap<>();
    adapters.parameters().stream().filter(p -> AdapterNames.isA(p.name()))
        .forEach(p -> ranks.put(adapters.module(p), p.shape()[0] / adapters.copies(p)));
    for (Parameter p : adapters.parameters()) {
      String module = adapters.module(p);
      add(rows, module, how() + ", rank " + ranks.get(module), AdapterNames.isA(p.name()) ? 1 : 0, p.size());
    }
    full.byModule().forEach((module, weights) -> add(rows, module,
        untied() && module.equals(OuterWeight.HEAD_MODULE) ? Trainable.UNTIED : "full", 1,
        weights.stream().mapToLong(Parameter::size).sum()));
    full.biases().forEach(p -> add(rows, p.name().replaceFirst("\\.bias$", ""), "bias", 1, p.size()));
    return new Trainable(List.copyOf(rows.values()), parameters.size(), model.parameters());
  }

  private String how() {
    var kind = adapters.shape().kind();
    return kind.magnitudes() ? "DoRA" : kind.startFrozen() ? "PiSSA" : kind.biases() ? "LoRA with bias" : "LoRA";
  }

  private void add(Map<String, Trainable.Row> rows, String module, String how, int modules, long size) {
    String name = layout.config().layers().stream().map(LayerConfig::path).filter(module::startsWith).findFirst()
        .map(path -> LayerConfig.ofAnyExpert(module.substring(path.length()))).orElse(module.replaceFirst("^model\\.", ""));
    rows.merge(name + " " + how, new Trainable.Row(name, modules, how, size),
        (a, b) -> new Trainable.Row(name, a.modules() + b.modules(), how, a.parameters() + b.parameters()));
  }

  @Override
  public void close() {
    held.close();
    gradients.close();
    brought.close();
    scope.close();
  }
}
