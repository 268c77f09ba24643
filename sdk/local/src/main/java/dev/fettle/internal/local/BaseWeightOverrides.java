package dev.fettle.internal.local;

import dev.fettle.internal.model.Layout;
import dev.fettle.internal.network.Weight;
import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Base weights that an adapter's file replaces, as PEFT lets it: copies of the weight below an adapter of an embedding
 * that differ from the model's own, and new embeddings of single tokens. They stay as they are, and are saved again.
 */
final class BaseWeightOverrides implements AutoCloseable {
  private final Scope scope = new Scope();
  private final Map<Layout.Block, Weight> blocks = new HashMap<>();
  private final Map<String, Stored> stored = new LinkedHashMap<>();

  /** What is to be saved again; float32 or the compute type. */
  record Stored(long[] shape, Tensor tensor) {}

  /** Owns all of it. */
  Scope scope() {
    return scope;
  }

  void replace(Layout.Block block, Weight by) {
    blocks.put(block, by);
  }

  void keep(String name, long[] shape, Tensor tensor) {
    stored.put(name, new Stored(shape, tensor));
  }

  /** By the name in files, without PEFT's prefix. */
  Map<String, Stored> stored() {
    return stored;
  }

  /** The block that stands in for the model's, or {@code null}. */
  Weight block(Layout.Block block) {
    return blocks.get(block);
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
