package dev.fettle.internal.network;

import dev.fettle.internal.model.LayerConfig;
import dev.fettle.internal.model.ModelConfig;
import dev.fettle.internal.model.Rope;
import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** The cosines and sines by which the layers of a model rotate queries and keys, for positions as they are needed. */
final class Rotations implements AutoCloseable {
  private final ModelConfig config;
  private final NumberType type;
  private final Scope scope;
  private final Tensor none;
  private final Map<Rope, Tensor> frequencies = new HashMap<>();
  private final Map<Rope, Tensor[]> tables = new HashMap<>();
  private int positions;

  Rotations(ModelConfig config, NumberType type, Scope scope) {
    this.config = config;
    this.type = type;
    this.scope = scope;
    this.none = scope.none();
    for (LayerConfig layer : config.layers()) {
      layer.rope().ifPresent(rope -> frequencies.computeIfAbsent(rope, r -> {
        double[] f = r.inverseFrequencies(layer.headDim());
        float[] single = new float[f.length];
        for (int i = 0; i < f.length; i++) {
          single[i] = (float) f[i];
        }
        return scope.floats(single);
      }));
    }
  }

  /** Makes ready for at least so many positions; not while passes run. */
  void prepare(int atLeast) {
    if (atLeast <= positions) {
      return;
    }
    positions = Math.max(atLeast, Math.min(config.contextLength(), Math.max(512, 2 * positions)));
    frequencies.forEach((rope, f) -> {
      Tensor[] old = tables.put(rope, scope.kernels().angles(f, positions, type));
      if (old != null) {
        scope.free(old[0]);
        scope.free(old[1]);
      }
    });
  }

  /** Cosines and sines of all positions: [positions, 1, half]; empty where nothing is rotated. */
  Tensor[] table(Optional<Rope> rope) {
    return rope.map(tables::get).orElse(new Tensor[] {none, none});
  }

  /** Those of some positions, for each way of rotating. */
  Map<Optional<Rope>, Tensor[]> at(Scope step, Tensor index) {
    Map<Optional<Rope>, Tensor[]> out = new HashMap<>();
    out.put(Optional.empty(), table(Optional.empty()));
    tables.forEach((rope, table) -> out.put(Optional.of(rope), new Tensor[] {
      step.kernels().selectRows(table[0], index), step.kernels().selectRows(table[1], index)}));
    return out;
  }

  @Override
  public void close() {
    scope.close();
  }
}
