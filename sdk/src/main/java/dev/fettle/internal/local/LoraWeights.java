package dev.fettle.internal.local;

import dev.fettle.Lora;
import dev.fettle.Trainable;
import dev.fettle.Tuning;
import dev.fettle.internal.checkpoint.AdapterConfig;
import dev.fettle.internal.model.Adapter;
import dev.fettle.internal.model.AdapterGradients;
import dev.fettle.internal.model.AdapterShape;
import dev.fettle.internal.model.Weights;
import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import dev.fettle.internal.torch.Torch;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * LoRA adapters beside frozen weights that others may share. For each fused product of each layer the vector holds the
 * A's of its modules, then their B's.
 */
final class LoraWeights implements Tuned {
  static final String A = ".lora_A.weight";
  static final String B = ".lora_B.weight";

  private Lora lora;
  private final AdapterConfig settings;
  private final AdapterShape shape;
  private final Weights base;
  private final Scope scope = new Scope();
  private final ParameterVector parameters;
  private final List<List<Tensor>> values;
  private final Adapter adapter;
  private final Weights noWeights;
  private final List<Gradients> lanes = new ArrayList<>();

  LoraWeights(Lora lora, AdapterConfig settings, AdapterShape shape, Weights base, NumberType type) {
    this.lora = lora;
    this.settings = settings;
    this.shape = shape;
    this.base = base;
    this.parameters = new ParameterVector(scope, layOut(shape));
    this.adapter = Adapter.zeros(shape, scope, type);
    this.noWeights = Weights.none(base.layout(), scope);
    this.values = views(parameters.values());
    addLane(parameters.gradient());
  }

  private static List<ParameterVector.Parameter> layOut(AdapterShape shape) {
    List<ParameterVector.Parameter> out = new ArrayList<>();
    long at = 0;
    for (int layer = 0; layer < shape.layers(); layer++) {
      for (int group = 0; group < AdapterShape.GROUPS; group++) {
        for (String half : List.of(A, B)) {
          for (int module : shape.members(group)) {
            long rank = shape.moduleRank(layer, module);
            if (rank > 0) {
              long[] dimensions = half.equals(A) ? new long[] {rank, shape.inputs(group)}
                  : new long[] {shape.moduleOutputs(module), rank};
              var parameter = new ParameterVector.Parameter(shape.name(layer, module) + half, at, dimensions);
              out.add(parameter);
              at += parameter.size();
            }
          }
        }
      }
    }
    return out;
  }

  /** The A's and the B's of each fused product of each layer as views of a vector in this order. */
  private List<List<Tensor>> views(Tensor vector) {
    Tensor none = scope.call("nothing", false);
    List<List<Tensor>> parts = new ArrayList<>();
    long at = 0;
    for (int layer = 0; layer < shape.layers(); layer++) {
      List<Tensor> ofLayer = new ArrayList<>();
      for (int group = 0; group < AdapterShape.GROUPS; group++) {
        long rank = shape.rank(layer, group);
        long sizeA = rank * shape.inputs(group);
        long sizeB = shape.sizeOfB(layer, group);
        ofLayer.add(rank == 0 ? none : parameters.part(vector, at, rank, shape.inputs(group)));
        ofLayer.add(rank == 0 ? none : parameters.part(vector, at + sizeA, sizeB));
        at += sizeA + sizeB;
      }
      parts.add(ofLayer);
    }
    return parts;
  }

  /** PEFT's start: A uniform within 1 / sqrt(inputs) (kaiming_uniform with a = sqrt 5), B zero. */
  void initialise() {
    Torch.get().seed(lora.seed());
    try (Scope step = new Scope()) {
      for (var p : parameters.parameters()) {
        if (p.name().endsWith(A)) {
          Tensor start = step.call("uniform", p.shape(), 1 / Math.sqrt(p.shape()[1]));
          step.effect("copy", step.call("part", parameters.values(), p.offset(), p.shape()), start);
        }
      }
    }
    refresh();
  }

  /** The seed of the dropout, and of the start values. */
  @Override
  public long seed() {
    return lora.seed();
  }

  void seed(long seed) {
    lora = lora.seed(seed);
  }

  /** The adapter's settings in PEFT's terms. */
  AdapterConfig settings() {
    return settings;
  }

  AdapterShape shape() {
    return shape;
  }

  @Override
  public Tuning tuning() {
    return lora;
  }

  @Override
  public ParameterVector parameters() {
    return parameters;
  }

  @Override
  public Weights weights() {
    return base;
  }

  @Override
  public Adapter adapter() {
    return adapter;
  }

  private void addLane(Tensor vector) {
    lanes.add(new Gradients(vector, noWeights, new AdapterGradients(scope, views(vector))));
  }

  @Override
  public Gradients gradients(int lane) {
    while (lanes.size() <= lane) {
      addLane(scope.call("zeros", new long[] {parameters.size()}, NumberType.F32));
    }
    return lanes.get(lane);
  }

  @Override
  public int lanes() {
    return Lanes.most();
  }

  @Override
  public int lowestLayer() {
    return shape.lowestLayer();
  }

  @Override
  public double dropout() {
    return settings.dropout();
  }

  @Override
  public void refresh() {
    try (Scope step = new Scope()) {
      for (int layer = 0; layer < shape.layers(); layer++) {
        for (int group = 0; group < AdapterShape.GROUPS; group++) {
          if (shape.rank(layer, group) > 0) {
            step.effect("adapter_refresh", values.get(layer).get(2 * group), values.get(layer).get(2 * group + 1),
                shape.blocks(layer, group), shape.scales(layer, group), adapter.a(layer, group),
                adapter.scaledB(layer, group));
          }
        }
      }
    }
  }

  @Override
  public Frozen freeze(Scope into) {
    return new Frozen(base, adapter.copy(into));
  }

  @Override
  public Trainable trainable() {
    Map<String, long[]> rows = new LinkedHashMap<>();
    Map<String, Integer> ranks = new LinkedHashMap<>();
    for (var p : parameters.parameters()) {
      String module = p.name().replaceAll("model\\.layers\\.\\d+\\.|\\.lora_[AB]\\.weight", "");
      boolean isA = p.name().endsWith(A);
      int rank = (int) (isA ? p.shape()[0] : p.shape()[1]);
      String key = module + " " + rank;
      ranks.put(key, rank);
      long[] row = rows.computeIfAbsent(key, k -> new long[2]);
      row[0] += isA ? 1 : 0;
      row[1] += p.size();
    }
    List<Trainable.Row> table = new ArrayList<>();
    rows.forEach((key, row) -> table.add(
        new Trainable.Row(key.substring(0, key.indexOf(' ')), (int) row[0], "LoRA, rank " + ranks.get(key), row[1])));
    return new Trainable(table, parameters.size(), base.layout().parameters());
  }

  @Override
  public void close() {
    scope.close();
  }
}
