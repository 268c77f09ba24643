package dev.fettle.internal.local;

import dev.fettle.InvalidInputException;
import dev.fettle.Lora;
import dev.fettle.internal.checkpoint.AdapterConfig;
import dev.fettle.internal.local.ParameterVector.Parameter;
import dev.fettle.internal.model.Adapter;
import dev.fettle.internal.model.AdapterGradients;
import dev.fettle.internal.model.AdapterShape;
import dev.fettle.internal.model.Layout;
import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import dev.fettle.internal.torch.Torch;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * The adapters of a training. They come first in the vector: for each fused product of each layer the A's of its modules,
 * their B's, the biases of these, the magnitudes; then A and B of the input and of the output embedding.
 */
final class AdapterPart {
  private Lora lora;
  private final AdapterConfig settings;
  private final AdapterShape shape;
  private final List<Parameter> parameters = new ArrayList<>();
  private final Map<String, Parameter> byName = new HashMap<>();
  private ParameterVector vector;
  private Function<Layout.Block, Tensor> base;
  private Layout layout;
  private Adapter adapter;
  private List<List<Tensor>> values;
  private List<Tensor> outer;
  private Tensor start;
  private final Map<Layout.Block, Tensor> biases = new HashMap<>();

  AdapterPart(Lora lora, AdapterConfig settings, AdapterShape shape) {
    this.lora = lora;
    this.settings = settings;
    this.shape = shape;
    for (int layer = 0; layer < shape.layers(); layer++) {
      for (int group = 0; group < AdapterShape.GROUPS; group++) {
        for (AdapterNames.Kind kind : AdapterNames.Kind.of(shape.kind())) {
          for (int module : shape.members(group)) {
            if (shape.moduleRank(layer, module) > 0) {
              add(kind.name(shape.name(layer, module)), kind.dimensions(shape, layer, group, module), kind);
            }
          }
        }
      }
    }
    long hidden = shape.config().hiddenSize();
    long vocabulary = shape.config().vocabSize();
    if (shape.embeddingRank() > 0) {
      add(AdapterNames.EMBEDDING_A, new long[] {shape.embeddingRank(), vocabulary}, AdapterNames.Kind.A);
      add(AdapterNames.EMBEDDING_B, new long[] {hidden, shape.embeddingRank()}, AdapterNames.Kind.A);
    }
    if (shape.headRank() > 0) {
      add(AdapterNames.Kind.A.name(AdapterShape.HEAD), new long[] {shape.headRank(), hidden}, AdapterNames.Kind.A);
      add(AdapterNames.Kind.B.name(AdapterShape.HEAD), new long[] {vocabulary, shape.headRank()}, AdapterNames.Kind.B);
    }
  }

  private void add(String name, long[] dimensions, AdapterNames.Kind kind) {
    Rule rule = new Rule(lora.rate(), kind == AdapterNames.Kind.B ? lora.learningRateRatio() : 1);
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

  long size() {
    return parameters.isEmpty() ? 0 : parameters.get(parameters.size() - 1).offset() + parameters.get(parameters.size() - 1).size();
  }

  /** The bytes of what is held beside the vector: the adapter as the network reads it, biases, the start. */
  long heldBytes(NumberType type) {
    long biased = 0;
    for (int layer = 0; shape.kind().biases() && layer < shape.layers(); layer++) {
      for (int group = 0; group < AdapterShape.GROUPS; group++) {
        biased += shape.rank(layer, group) > 0 ? shape.outputs(group) : 0;
      }
    }
    return Adapter.bytes(shape, type) + biased * type.size() + (shape.kind().startFrozen() ? size() * Float.BYTES : 0);
  }

  /** Takes its place in a vector, over base weights that stay as they are. */
  void bind(Scope scope, ParameterVector into, Layout weights, Function<Layout.Block, Tensor> frozen, NumberType type) {
    vector = into;
    layout = weights;
    base = frozen;
    adapter = Adapter.zeros(shape, scope, type);
    values = views(scope, into.values());
    outer = outerViews(scope, into.values());
    if (shape.kind().startFrozen()) {
      start = scope.call("zeros", new long[] {size()}, NumberType.F32);
    }
    if (shape.kind().biases()) {
      for (int layer = 0; layer < shape.layers(); layer++) {
        for (int group = 0; group < AdapterShape.GROUPS; group++) {
          if (shape.rank(layer, group) > 0) {
            long[] rows = {shape.outputs(group)};
            biases.put(new Layout.Block(layer, AdapterShape.biasIndex(group), rows), scope.call("zeros", rows, type));
          }
        }
      }
    }
  }

  /** The tensors of each layer, as {@link AdapterGradients} orders them, as views of a vector in this part's order. */
  private List<List<Tensor>> views(Scope scope, Tensor of) {
    Tensor none = scope.call("nothing", false);
    List<List<Tensor>> parts = new ArrayList<>();
    long at = 0;
    for (int layer = 0; layer < shape.layers(); layer++) {
      Tensor[] views = new Tensor[AdapterGradients.PER_LAYER];
      java.util.Arrays.fill(views, none);
      for (int group = 0; group < AdapterShape.GROUPS; group++) {
        long rank = shape.rank(layer, group);
        if (rank > 0) {
          views[2 * group] = scope.call("part", of, at, new long[] {rank, shape.inputs(group)});
          at += rank * shape.inputs(group);
          views[2 * group + 1] = scope.call("part", of, at, new long[] {shape.sizeOfB(layer, group)});
          at += shape.sizeOfB(layer, group);
          long[] rows = {shape.adaptedOutputs(layer, group)};
          if (shape.kind().biases()) {
            views[2 * AdapterShape.GROUPS + group] = scope.call("part", of, at, rows);
            at += rows[0];
          }
          if (shape.kind().magnitudes()) {
            views[3 * AdapterShape.GROUPS + group] = scope.call("part", of, at, rows);
            at += rows[0];
          }
        }
      }
      parts.add(List.of(views));
    }
    return parts;
  }

  private List<Tensor> outerViews(Scope scope, Tensor of) {
    Tensor none = scope.call("nothing", false);
    List<Tensor> out = new ArrayList<>();
    for (String name : List.of(AdapterNames.EMBEDDING_A, AdapterNames.EMBEDDING_B,
        AdapterNames.Kind.A.name(AdapterShape.HEAD), AdapterNames.Kind.B.name(AdapterShape.HEAD))) {
      Parameter p = byName.get(name);
      out.add(p == null ? none : scope.call("part", of, p.offset(), p.shape()));
    }
    return out;
  }

  AdapterGradients gradients(Scope scope, Tensor of) {
    return new AdapterGradients(scope, views(scope, of), outerViews(scope, of));
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
        if (p.name().equals(AdapterNames.EMBEDDING_B)) {
          step.effect("copy", into, step.call("normal", p.shape(), 1.0, NumberType.F32));
        } else if (AdapterNames.Kind.A.is(p.name()) && !shape.kind().startFrozen()) {
          step.effect("copy", into, step.call("uniform", p.shape(), 1 / Math.sqrt(p.shape()[1])));
        }
      }
    }
    for (int layer = 0; layer < shape.layers(); layer++) {
      for (int group = 0; group < AdapterShape.GROUPS; group++) {
        int row = 0;
        for (int module : shape.members(group)) {
          if (shape.moduleRank(layer, module) > 0) {
            fromWeight(layer, group, module, row);
          }
          row += shape.moduleOutputs(module);
        }
      }
    }
    if (shape.kind().startFrozen()) {
      try (Scope step = new Scope()) {
        step.effect("copy", start, step.call("part", vector.values(), 0, new long[] {size()}));
      }
    }
  }

  private void fromWeight(int layer, int group, int module, int row) {
    if (!shape.kind().startFrozen() && !shape.kind().magnitudes()) {
      return;
    }
    String name = shape.name(layer, module);
    try (Scope step = new Scope()) {
      Tensor w = step.call("rows", base.apply(weight(layer, group)), row, shape.moduleOutputs(module));
      Parameter a = byName.get(AdapterNames.Kind.A.name(name));
      Parameter b = byName.get(AdapterNames.Kind.B.name(name));
      if (shape.kind().startFrozen()) {
        if (a.shape()[0] > Math.min(shape.inputs(group), shape.moduleOutputs(module))) {
          throw new InvalidInputException("pissa(): rank " + a.shape()[0] + " is more than " + name + " has singular values");
        }
        Tensor[] pair = step.tuple("principal", w, a.shape()[0], shape.scale(layer, module));
        step.effect("copy", vector.values(step, a), pair[0]);
        step.effect("copy", vector.values(step, b), pair[1]);
      } else {
        step.effect("copy", vector.values(step, byName.get(AdapterNames.Kind.MAGNITUDE.name(name))),
            step.call("row_norms", w, step.call("zeros", a.shape(), NumberType.F32), vector.values(step, b)));
      }
    }
  }

  private Layout.Block weight(int layer, int group) {
    return new Layout.Block(layer, AdapterShape.weightIndex(group), null);
  }

  /** Brings what the kernels read up to date with the vector. */
  void refresh() {
    try (Scope step = new Scope()) {
      for (int layer = 0; layer < shape.layers(); layer++) {
        for (int group = 0; group < AdapterShape.GROUPS; group++) {
          if (shape.rank(layer, group) > 0) {
            refresh(step, layer, group);
          }
        }
      }
      if (shape.embeddingRank() > 0) {
        step.effect("scaled", adapter.embeddingA(), outer.get(0), 1.0);
        step.effect("scaled", adapter.embeddingB(), outer.get(1), shape.embeddingScale());
      }
      if (shape.headRank() > 0) {
        step.effect("scaled", adapter.headA(), outer.get(2), 1.0);
        step.effect("scaled", adapter.headB(), outer.get(3), shape.headScale());
      }
    }
  }

  private void refresh(Scope step, int layer, int group) {
    List<Tensor> of = values.get(layer);
    long[] blocks = shape.blocks(layer, group);
    double[] scales = shape.scales(layer, group);
    Tensor a = adapter.a(layer, group);
    Tensor sb = adapter.scaledB(layer, group);
    if (shape.kind().startFrozen()) {
      int rank = shape.rank(layer, group);
      write(step, of.get(2 * group), of.get(2 * group + 1), blocks, scales, step.call("rows", a, 0, rank),
          step.call("columns", sb, 0, rank));
    } else {
      write(step, of.get(2 * group), of.get(2 * group + 1), blocks, scales, a, sb);
    }
    if (shape.kind().magnitudes()) {
      step.effect("gain_refresh", base.apply(weight(layer, group)), a, sb, of.get(3 * AdapterShape.GROUPS + group), blocks,
          adapter.gain(layer, group), adapter.inverseNorm(layer, group));
    }
    if (shape.kind().biases()) {
      Layout.Block bias = new Layout.Block(layer, AdapterShape.biasIndex(group), null);
      Tensor frozen = base.apply(bias);
      step.effect("bias_refresh", frozen == null ? step.call("nothing", false) : frozen,
          of.get(2 * AdapterShape.GROUPS + group), blocks, scales, biases.get(bias));
    }
  }

  private static void write(Scope step, Tensor flatA, Tensor flatB, long[] blocks, double[] scales, Tensor a, Tensor sb) {
    step.effect("adapter_refresh", flatA, flatB, blocks, scales, a, sb);
  }

  /** Writes the start that is taken off again to where the kernels read it: after the A's and, negated, after the B's. */
  void refreshStart() {
    if (start == null) {
      return;
    }
    try (Scope step = new Scope()) {
      List<List<Tensor>> of = views(step, start);
      for (int layer = 0; layer < shape.layers(); layer++) {
        for (int group = 0; group < AdapterShape.GROUPS; group++) {
          int rank = shape.rank(layer, group);
          if (rank > 0) {
            double[] scales = shape.scales(layer, group);
            java.util.Arrays.setAll(scales, i -> -scales[i]);
            write(step, of.get(layer).get(2 * group), of.get(layer).get(2 * group + 1), shape.blocks(layer, group), scales,
                step.call("rows", adapter.a(layer, group), rank, rank),
                step.call("columns", adapter.scaledB(layer, group), rank, rank));
          }
        }
      }
    }
  }

  /** Whether {@link #folded} has a tensor for a block. */
  boolean folds(Layout.Block block) {
    if (block.layer() < 0) {
      return block.equals(layout.embedding()) && shape.embeddingRank() > 0
          || block.equals(layout.head()) && shape.headRank() > 0;
    }
    for (int group = 0; shape.kind().magnitudes() && group < AdapterShape.GROUPS; group++) {
      if (shape.rank(block.layer(), group) > 0 && block.index() == AdapterShape.weightIndex(group)) {
        return true;
      }
    }
    return biases.containsKey(block);
  }

  /** A base weight with what the sampler's adapter does not say: gains, biases, adapters of embeddings; or {@code null}. */
  Tensor folded(Scope scope, Layout.Block block, Tensor weight, NumberType type) {
    if (block.layer() >= 0) {
      for (int group = 0; group < AdapterShape.GROUPS; group++) {
        boolean carries = shape.rank(block.layer(), group) > 0;
        if (carries && shape.kind().magnitudes() && block.index() == AdapterShape.weightIndex(group)) {
          return scope.call("gained", weight, adapter.gain(block.layer(), group));
        }
      }
      return biases.containsKey(block) ? scope.call("clone", biases.get(block)) : null;
    }
    try (Scope step = new Scope()) {
      Tensor sum = null;
      if (block.equals(layout.embedding()) && shape.embeddingRank() > 0) {
        sum = step.call("merged_embedding", weight, outer.get(0), outer.get(1), shape.embeddingScale());
      } else if (block.equals(layout.head()) && shape.headRank() > 0) {
        sum = step.call("merged", weight, outer.get(2), outer.get(3), shape.headScale());
      }
      return sum == null ? null : scope.call("cast", sum, type);
    }
  }

  /** The bias of a fused product with the trained ones, where there are any. */
  Tensor bias(Layout.Block block) {
    return biases.get(block);
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
