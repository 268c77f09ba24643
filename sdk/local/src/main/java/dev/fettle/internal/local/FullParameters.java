package dev.fettle.internal.local;

import dev.fettle.internal.local.ParameterVector.Parameter;
import dev.fettle.internal.model.Layout;
import dev.fettle.internal.network.Weight;
import dev.fettle.internal.network.WeightGradients;
import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/**
 * The weights that are trained in full: a run of the vector, float32, in the order of the layout. The network reads the
 * vector itself where the type is float32 and all of a block is trained, else a copy of the block that is brought up to
 * date after each step.
 */
final class FullParameters {
  /** A block of which something is trained: from which element of the vector on, how many rows of it, and all or not. */
  private record Trained(long offset, long size, boolean whole, List<Layout.Weight> weights) {}

  private final Layout layout;
  private final Map<Layout.Block, Trained> blocks = new LinkedHashMap<>();
  private final List<Parameter> parameters = new ArrayList<>();
  private final Set<String> names = new HashSet<>();
  private final Set<String> biases;
  private final Map<Layout.Block, Weight> own = new HashMap<>();
  private ParameterVector vector;
  private NumberType type;

  /**
   * @param targets the weights that are trained
   * @param offset where in the vector they begin
   */
  FullParameters(Layout layout, FullTargets targets, long offset) {
    this.layout = layout;
    this.biases = targets.biases();
    Map<String, ScaledGroup> rules = targets.rules();
    Map<Layout.Block, List<Layout.Weight>> chosen = new LinkedHashMap<>();
    for (Layout.Weight w : layout.weights().values()) {
      if (rules.containsKey(w.name())) {
        chosen.computeIfAbsent(w.block(), b -> new ArrayList<>()).add(w);
        names.add(w.name());
      }
    }
    long at = offset;
    // The order of the layout's blocks, in which neighbours of one rule stand side by side.
    for (Layout.Block block : layout.blocks()) {
      List<Layout.Weight> weights = chosen.getOrDefault(block, List.of());
      if (!weights.isEmpty()) {
        long begin = at;
        for (Layout.Weight w : weights) {
          parameters.add(new Parameter(w.name(), at, w.shape(), rules.get(w.name())));
          at += w.size();
        }
        blocks.put(block, new Trained(begin, at - begin, at - begin == block.size(), weights));
      }
    }
  }

  List<Parameter> parameters() {
    return parameters;
  }

  boolean isEmpty() {
    return parameters.isEmpty();
  }

  /** Whether nothing of the model is frozen. */
  boolean isAll() {
    return layout.blocks().stream().allMatch(b -> blocks.containsKey(b) && blocks.get(b).whole);
  }

  boolean trains(Layout.Block block) {
    return blocks.containsKey(block);
  }

  /** Whether anything before the layers is trained. */
  boolean trainsEmbeddings() {
    return layout.config().embeddings().stream().anyMatch(w -> layout.outer(w.place()).filter(this::trains).isPresent());
  }

  /** Takes its place in a vector and starts from base weights. */
  void bind(Scope scope, ParameterVector into, Function<Layout.Block, Weight> base, NumberType type) {
    vector = into;
    this.type = type;
    blocks.forEach((block, trained) -> {
      Tensor values = isView(trained, type) ? scope.kernels().viewSlice(into.values(), trained.offset, block.shape())
          : scope.zeros(type, block.shape());
      own.put(block, new Weight.Dense(values, type));
      try (Scope step = new Scope()) {
        step.kernels().copy(values, base.apply(block).dense(step));
        if (!isView(trained, type)) {
          exchange(step, block, trained, true);
        }
      }
    });
  }

  /** The block as the network reads it; {@code null} if nothing of it is trained. */
  Weight own(Layout.Block block) {
    return own.get(block);
  }

  private static boolean isView(Trained trained, NumberType type) {
    return type == NumberType.F32 && trained.whole;
  }

  /** Brings the network's copies up to date with the vector. */
  void refresh() {
    try (Scope step = new Scope()) {
      blocks.forEach((block, trained) -> {
        if (!isView(trained, type)) {
          exchange(step, block, trained, false);
        }
      });
    }
  }

  private void exchange(Scope step, Layout.Block block, Trained trained, boolean toVector) {
    Tensor flat = step.kernels().flat(own.get(block).dense(step));
    long at = trained.offset;
    for (Layout.Weight w : trained.weights) {
      Tensor master = step.kernels().viewSlice(vector.values(), at, w.shape());
      Tensor copy = step.kernels().viewSlice(flat, w.offset(), w.shape());
      at += w.size();
      step.kernels().copy(toVector ? master : copy, toVector ? copy : master);
    }
  }

  /** Gives the elements of a gradient from an offset in the vector on. */
  @FunctionalInterface
  interface Parts {
    Tensor of(long offset, long... shape);
  }

  WeightGradients gradients(Scope scope, Parts parts) {
    return new WeightGradients(layout, scope, block -> {
      Trained t = blocks.get(block);
      long[] shape = block.shape().clone();
      shape[0] = t.size / (block.size() / block.shape()[0]);
      return parts.of(t.offset, shape);
    }, blocks::containsKey, names::contains);
  }

  /** The runs of the vector that belong to one layer, or to what is before or after them: offsets and sizes. */
  Map<Long, Long> pieces() {
    Map<Long, Long> out = new LinkedHashMap<>();
    int layer = Integer.MIN_VALUE;
    long begin = 0;
    for (var entry : blocks.entrySet()) {
      if (entry.getKey().layer() != layer) {
        layer = entry.getKey().layer();
        begin = entry.getValue().offset;
      }
      out.merge(begin, entry.getValue().size, Long::sum);
    }
    return out;
  }

  /** How many numbers are trained. */
  long size() {
    return blocks.values().stream().mapToLong(Trained::size).sum();
  }

  /** How many of them are in a layer; outside the layers for -1. */
  long size(int layer) {
    return blocks.entrySet().stream().filter(e -> e.getKey().layer() == layer).mapToLong(e -> e.getValue().size).sum();
  }

  /** The bytes of what the network reads in place of the vector. */
  long copiedBytes(NumberType type) {
    return type.size()
        * blocks.entrySet().stream().filter(e -> !isView(e.getValue(), type)).mapToLong(e -> e.getKey().size()).sum();
  }

  /** The lowest layer of which something is trained; the number of layers where it is none. */
  int lowestLayer() {
    return blocks.keySet().stream().mapToInt(Layout.Block::layer).filter(l -> l >= 0).min()
        .orElse(layout.config().layers().size());
  }

  /** The biases that are trained because an adapter has it so, though the modules are not. */
  List<Parameter> biases() {
    return parameters.stream().filter(p -> biases.contains(p.name())).toList();
  }

  /** Whether a parameter is one of these. */
  boolean isBias(Parameter p) {
    return biases.contains(p.name());
  }

  /** The modules that are trained, with their weights, in order; without such biases. */
  Map<String, List<Parameter>> byModule() {
    Map<String, List<Parameter>> out = new LinkedHashMap<>();
    for (Parameter p : parameters) {
      if (biases.contains(p.name())) {
        continue;
      }
      out.computeIfAbsent(p.name().substring(0, p.name().lastIndexOf('.')), k -> new ArrayList<>()).add(p);
    }
    return out;
  }
}
