package dev.fettle.internal.network;

import dev.fettle.internal.model.ModelConfig;
import dev.fettle.internal.model.Rope;
import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The cosines and sines by which the layers of a model rotate queries and keys, for positions as they are needed; {@link Rope}
 * says what the length of a sequence has to do with it.
 */
final class Rotations implements AutoCloseable {
  private final ModelConfig config;
  private final NumberType type;
  private final Scope scope;
  private final Tensor none;
  private final List<Rope> ropes;
  private final Map<Rope, Tensor[]> tables = new HashMap<>();
  private int positions;

  Rotations(ModelConfig config, NumberType type, Scope scope) {
    this.config = config;
    this.type = type;
    this.scope = scope;
    this.none = scope.none();
    this.ropes = config.layers().stream().flatMap(layer -> layer.rope().stream()).distinct().toList();
  }

  /** Makes ready for at least so many positions; not while passes run. */
  void prepare(int atLeast) {
    if (atLeast <= positions) {
      return;
    }
    positions = Math.max(atLeast, Math.min(config.contextLength(), Math.max(512, 2 * positions)));
    int[] all = new int[positions];
    int[] lengths = new int[positions];
    for (int i = 0; i < positions; i++) {
      all[i] = i;
      lengths[i] = i + 1;
    }
    Tensor index = scope.longs(all);
    for (Rope rope : ropes) {
      Tensor[] old = tables.put(rope, angles(scope, rope, index, lengths));
      if (old != null) {
        scope.free(old[0]);
        scope.free(old[1]);
      }
    }
    scope.free(index);
  }

  /** How many positions the tables have. */
  int positions() {
    return positions;
  }

  /**
   * Cosines and sines by the position of a token that is the last of its sequence: [positions, 1, half]; empty where nothing
   * is rotated. Where the length of a sequence does not matter, those of any token.
   */
  Tensor[] table(Optional<Rope> rope) {
    return rope.map(tables::get).orElse(new Tensor[] {none, none});
  }

  /** Those of every token of packed sequences, for each way of rotating. */
  Map<Optional<Rope>, Tensor[]> at(Scope step, Packing packing, Tensor index) {
    Map<Optional<Rope>, Tensor[]> out = new HashMap<>();
    out.put(Optional.empty(), table(Optional.empty()));
    for (Rope rope : ropes) {
      Tensor[] table = table(Optional.of(rope));
      out.put(Optional.of(rope), rope.dependsOnLength() ? angles(step, rope, index, packing.lengths())
          : new Tensor[] {step.kernels().selectRows(table[0], index), step.kernels().selectRows(table[1], index)});
    }
    return out;
  }

  private Tensor[] angles(Scope owner, Rope rope, Tensor index, int[] lengths) {
    try (Scope making = new Scope()) {
      Tensor[] made = making.kernels().angles(index, frequencies(making, rope, lengths), rope.attentionFactor(), type);
      return new Tensor[] {owner.adopt(made[0], making), owner.adopt(made[1], making)};
    }
  }

  /** Those of rows that stand in sequences of such lengths: one vector if all are alike, else a row each. */
  private static Tensor frequencies(Scope making, Rope rope, int[] lengths) {
    Map<Integer, Integer> places = new LinkedHashMap<>();
    int[] rows = Arrays.stream(lengths).map(n -> places.computeIfAbsent(rope.alike(n), x -> places.size())).toArray();
    int pairs = rope.dim() / 2;
    float[] distinct = new float[places.size() * pairs];
    places.forEach((length, place) -> System.arraycopy(rope.frequencies(length), 0, distinct, place * pairs, pairs));
    Tensor all = making.floats(distinct);
    if (places.size() == 1) {
      return all;
    }
    Tensor matrix = making.kernels().viewSlice(all, 0, new long[] {places.size(), pairs});
    return making.kernels().selectRows(matrix, making.longs(rows));
  }

  @Override
  public void close() {
    scope.close();
  }
}
