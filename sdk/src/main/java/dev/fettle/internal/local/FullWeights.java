package dev.fettle.internal.local;

import dev.fettle.Full;
import dev.fettle.Trainable;
import dev.fettle.Tuning;
import dev.fettle.internal.model.Adapter;
import dev.fettle.internal.model.AdapterGradients;
import dev.fettle.internal.model.AdapterShape;
import dev.fettle.internal.model.Layout;
import dev.fettle.internal.model.Weights;
import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * All weights of a model, trained. The vector holds the float32 weights in the order of the layout; in float32 the
 * network reads the vector itself, in bf16 a copy that is brought up to date after each step.
 */
final class FullWeights implements Tuned {
  private final Full full;
  private final Layout layout;
  private final NumberType type;
  private final Scope scope = new Scope();
  private final ParameterVector parameters;
  private final Map<Layout.Block, Tensor> masters = new HashMap<>();
  private final Weights weights;
  private final Weights gradients;
  private final Adapter noAdapter;
  private final AdapterGradients noAdapterGradients;

  FullWeights(Full full, Weights base, NumberType type) {
    this.full = full;
    this.layout = base.layout();
    this.type = type;
    Map<Layout.Block, Long> offsets = new HashMap<>();
    long at = 0;
    for (Layout.Block block : layout.blocks()) {
      offsets.put(block, at);
      at += block.size();
    }
    List<ParameterVector.Parameter> list = new ArrayList<>();
    for (Layout.Weight w : layout.weights().values()) {
      list.add(new ParameterVector.Parameter(w.name(), offsets.get(w.block()) + w.offset(), w.shape()));
    }
    parameters = new ParameterVector(scope, list);
    for (Layout.Block block : layout.blocks()) {
      masters.put(block, parameters.part(parameters.values(), offsets.get(block), block.shape()));
      scope.effect("copy", masters.get(block), base.tensor(block));
    }
    weights = type == NumberType.F32 ? new Weights(layout, scope, masters::get) : Weights.zeros(layout, scope, type);
    gradients = new Weights(layout, scope,
        block -> parameters.part(parameters.gradient(), offsets.get(block), block.shape()));
    noAdapter = Adapter.zeros(AdapterShape.none(layout.config()), scope, type);
    noAdapterGradients = AdapterGradients.none(layout.config(), scope);
    refresh();
  }

  @Override
  public Tuning tuning() {
    return full;
  }

  @Override
  public ParameterVector parameters() {
    return parameters;
  }

  @Override
  public Weights weights() {
    return weights;
  }

  @Override
  public Adapter adapter() {
    return noAdapter;
  }

  @Override
  public Gradients gradients(int lane) {
    return new Gradients(parameters.gradient(), gradients, noAdapterGradients);
  }

  /** One: each would be as large as the model. */
  @Override
  public int lanes() {
    return 1;
  }

  @Override
  public int lowestLayer() {
    return 0;
  }

  @Override
  public double dropout() {
    return 0;
  }

  @Override
  public long seed() {
    return 0;
  }

  @Override
  public void refresh() {
    if (type != NumberType.F32) {
      try (Scope step = new Scope()) {
        masters.forEach((block, master) -> step.effect("copy", weights.tensor(block), master));
      }
    }
  }

  @Override
  public Frozen freeze(Scope into) {
    Weights copy = new Weights(layout, into, block -> into.call("clone", weights.tensor(block)));
    return new Frozen(copy, Adapter.zeros(AdapterShape.none(layout.config()), into, type));
  }

  @Override
  public Trainable trainable() {
    Map<String, long[]> rows = new LinkedHashMap<>();
    for (Layout.Weight w : layout.weights().values()) {
      long[] row = rows.computeIfAbsent(w.module().replaceAll("model\\.(layers\\.\\d+\\.)?", ""), k -> new long[2]);
      row[0] += w.name().endsWith(".weight") ? 1 : 0;
      row[1] += w.size();
    }
    List<Trainable.Row> table = new ArrayList<>();
    rows.forEach((name, row) -> table.add(new Trainable.Row(name, (int) row[0], "full", row[1])));
    return new Trainable(table, parameters.size(), layout.parameters());
  }

  @Override
  public void close() {
    scope.close();
  }
}
