package dev.fettle.internal.local;

import dev.fettle.internal.model.Layout;
import dev.fettle.internal.network.Weight;
import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * Base weights that an adapter replaces, as PEFT lets it: weights that its file holds beside the adapter and that differ from
 * the model's own, new embeddings of single tokens, and what is left of weights after a start that was taken off them. They
 * stay as they are; what came from the file is saved again.
 */
final class BaseWeightOverrides implements AutoCloseable {
  private final Scope scope = new Scope();
  private final Map<Layout.Block, Tensor> blocks = new HashMap<>();
  private final Map<Layout.Block, Weight> weights = new HashMap<>();
  private final Map<String, Stored> stored = new LinkedHashMap<>();
  private final Set<String> known = new HashSet<>();

  /** What is to be saved again; float32 or the compute type. */
  record Stored(long[] shape, Tensor tensor) {}

  /** Owns all of it. */
  Scope scope() {
    return scope;
  }

  /** A copy of a block, the same for each call, to be written to in place of the model's. */
  Tensor copy(LocalModel model, Layout.Block block) {
    return blocks.computeIfAbsent(block, b -> {
      NumberType type = NumberType.of(model.dtype());
      Tensor values = scope.zeros(type, b.shape());
      try (Scope step = new Scope()) {
        step.kernels().copy(values, model.weights().weight(b).dense(step));
      }
      weights.put(b, new Weight.Dense(values, type));
      return values;
    });
  }

  void keep(String name, long[] shape, Tensor tensor) {
    stored.put(name, new Stored(shape, tensor));
  }

  /** By the name in files, without PEFT's prefix. */
  Map<String, Stored> stored() {
    return stored;
  }

  /** Notes that a tensor of the file, by its name without PEFT's prefix, has been looked at. */
  void know(String name) {
    known.add(name);
  }

  /** Whether a tensor of a file is one of these, be it equal to the model's own. */
  boolean knows(String name) {
    return known.contains(name) || stored.containsKey(name);
  }

  /** The block that stands in for the model's, or {@code null}. */
  Weight block(Layout.Block block) {
    return weights.get(block);
  }

  /** What it holds. */
  long bytes(NumberType type) {
    return type.size() * blocks.keySet().stream().mapToLong(Layout.Block::size).sum();
  }

  boolean isEmpty() {
    return blocks.isEmpty();
  }

  @Override
  public void close() {
    scope.close();
  }
}
