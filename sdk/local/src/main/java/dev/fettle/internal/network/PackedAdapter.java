package dev.fettle.internal.network;

import dev.fettle.internal.model.AdapterShape;
import dev.fettle.internal.model.Product;
import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.LongStream;

/**
 * Adapters that no longer change, as their numbers alone in one tensor: without the zeros beside the diagonal that the kernels read,
 * which are made when they are used. The scope given owns the tensor.
 */
public final class PackedAdapter {
  /** Parts begin where tensors of their own would. */
  private static final long ALIGNED = 64;

  private final AdapterShape shape;
  private final NumberType type;
  private final Tensor numbers;
  private final List<Map<Product, Part>> parts = new ArrayList<>();
  private final Optional<Adapter> none;

  /**
   * The adapter of a product.
   *
   * @param blocks rows and rank of each block of the scaled B in turn
   */
  private record Part(long offset, long rows, long inputs, long outputs, long columns, long[] blocks) {
    static Part of(AdapterShape shape, int layer, Product product, long offset) {
      long outputs = shape.outputs(layer, product);
      long columns = shape.columns(layer, product);
      long[] once = shape.blocks(layer, product);
      long[] blocks = product.isOfExperts() ? new long[] {outputs, columns}
          : shape.kind().startFrozen() ? LongStream.concat(Arrays.stream(once), Arrays.stream(once)).toArray() : once;
      return new Part(offset, shape.rows(layer, product), shape.inputs(layer, product), outputs, columns, blocks);
    }

    private long sizeOfB() {
      long size = 0;
      for (int i = 0; i < blocks.length; i += 2) {
        size += blocks[i] * blocks[i + 1];
      }
      return size;
    }

    private long offsetOfB() {
      return aligned(offset + rows * inputs);
    }

    private long end() {
      return aligned(offsetOfB() + sizeOfB());
    }

    /** Whether it is one block, as the kernels read it. */
    private boolean isWhole() {
      return blocks.length == 2;
    }

    private double[] unscaled() {
      double[] ones = new double[blocks.length / 2];
      Arrays.fill(ones, 1);
      return ones;
    }
  }

  private PackedAdapter(AdapterShape shape, Scope scope, NumberType type) {
    this.shape = shape;
    this.type = type;
    long end = layOut(shape, parts);
    this.numbers = scope.zeros(type, end);
    this.none = shape.isEmpty() ? Optional.of(Adapter.zeros(shape, scope, type)) : Optional.empty();
  }

  private static long layOut(AdapterShape shape, List<Map<Product, Part>> parts) {
    long at = 0;
    for (int layer = 0; layer < shape.layers(); layer++) {
      Map<Product, Part> of = new HashMap<>();
      for (Product product : shape.adapted(layer)) {
        Part part = Part.of(shape, layer, product, at);
        of.put(product, part);
        at = part.end();
      }
      parts.add(of);
    }
    return at;
  }

  private static long aligned(long offset) {
    return (offset + ALIGNED - 1) / ALIGNED * ALIGNED;
  }

  /** No adapter anywhere. */
  public static PackedAdapter none(AdapterShape shape, Scope scope, NumberType type) {
    return new PackedAdapter(shape, scope, type);
  }

  /**
   * A copy that later changes of an adapter do not reach, with the gains in the scaled B's and without adapters of the
   * embeddings: all this is to be folded into the weights that go with it.
   */
  public static PackedAdapter of(Adapter adapter, Scope scope, NumberType type) {
    PackedAdapter packed = new PackedAdapter(adapter.shape().folded(), scope, type);
    for (int layer = 0; layer < packed.parts.size(); layer++) {
      int at = layer;
      packed.parts.get(layer).forEach((product, part) -> {
        try (Scope step = new Scope()) {
          Adapter.Pair pair = adapter.pair(at, product);
          step.kernels().copy(packed.a(step, part), pair.a());
          step.kernels().gatherBlocks(pair.gain() == null ? pair.scaledB() : step.kernels().scaleRows(pair.scaledB(), pair.gain()),
              part.blocks, packed.blocks(step, part));
        }
      });
    }
    return packed;
  }

  /** All that is held, parts a little apart. */
  public Tensor numbers() {
    return numbers;
  }

  /** The bytes of one of a shape. */
  public static long bytes(AdapterShape shape, NumberType type) {
    return layOut(shape.folded(), new ArrayList<>()) * type.size();
  }

  /** The bytes that {@link #open} takes. */
  public long openedBytes() {
    return parts.stream().flatMap(of -> of.values().stream()).filter(part -> !part.isWhole())
        .mapToLong(part -> part.outputs * part.columns * type.size()).sum();
  }

  /** The bytes that it takes among several that are decoded together. */
  public long stackedBytes() {
    return Adapter.bytes(shape, type);
  }

  /** What is adapted, and by which rank. */
  public AdapterShape shape() {
    return shape;
  }

  /** As the network reads it, as long as a scope is open and this is not closed. */
  public Adapter open(Scope into) {
    return none.orElseGet(() -> {
      List<Map<Product, Adapter.Pair>> pairs = new ArrayList<>();
      for (Map<Product, Part> of : parts) {
        Map<Product, Adapter.Pair> layer = new HashMap<>();
        of.forEach((product, part) -> layer.put(product, new Adapter.Pair(a(into, part), scaledB(into, part), null, null)));
        pairs.add(layer);
      }
      return Adapter.opened(shape, into, pairs);
    });
  }

  private Tensor scaledB(Scope into, Part part) {
    if (part.isWhole()) {
      return into.kernels().viewSlice(numbers, part.offsetOfB(), new long[] {part.outputs, part.columns});
    }
    Tensor b = into.zeros(type, part.outputs, part.columns);
    into.kernels().placeBlocks(blocks(into, part), part.blocks, part.unscaled(), b);
    return b;
  }

  private Tensor a(Scope scope, Part part) {
    return scope.kernels().viewSlice(numbers, part.offset, new long[] {part.rows, part.inputs});
  }

  private Tensor blocks(Scope scope, Part part) {
    return scope.kernels().viewSlice(numbers, part.offsetOfB(), new long[] {part.sizeOfB()});
  }

  /** Those that have an adapter of a product, as two tensors: A's [adapters, rank, inputs] and B's [adapters, outputs, rank]. */
  static List<Tensor> stack(List<PackedAdapter> adapters, int layer, Product product, Scope into) {
    List<Tensor> a = new ArrayList<>();
    List<Tensor> b = new ArrayList<>();
    List<long[]> blocks = new ArrayList<>();
    List<Long> which = new ArrayList<>();
    try (Scope scope = new Scope()) {
      for (int i = 0; i < adapters.size(); i++) {
        Part part = adapters.get(i).parts.get(layer).get(product);
        if (part != null) {
          a.add(adapters.get(i).a(scope, part));
          b.add(adapters.get(i).blocks(scope, part));
          blocks.add(part.blocks);
          which.add((long) i);
        }
      }
      if (which.isEmpty()) {
        return List.of();
      }
      Tensor[] made = scope.kernels().stackAdapters(scope.list(a), scope.list(b), scope.longLists(blocks),
          which.stream().mapToLong(i -> i).toArray(), adapters.size(), adapters.get(0).shape.outputs(layer, product));
      return List.of(into.adopt(made[0], scope), into.adopt(made[1], scope));
    }
  }
}
