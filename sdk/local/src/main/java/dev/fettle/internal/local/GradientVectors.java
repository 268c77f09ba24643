package dev.fettle.internal.local;

import dev.fettle.internal.local.ParameterVector.Parameter;
import dev.fettle.internal.network.WeightGradients;
import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The gradient of a training, and what passes add to it. Each lane of a pass has a vector of its own; what a pass computed
 * is added when it has succeeded, and forgotten otherwise. The first vector holds the gradient; where that is empty it is
 * the first lane's too, and nothing needs to be added.
 *
 * <p>Small vectors are one piece each, kept and zeroed. Where one would be as large as a model, there is one lane only, in
 * pieces of a layer each that come into being as the backward pass reaches them and frees the activations of the layers
 * above, and go after each step; the first pass writes into them without anybody having cleared them.
 */
final class GradientVectors implements AutoCloseable {
  /** Elements up to which vectors are kept. */
  private static final long SMALL = Long.getLong("fettle.gradient", 32L << 20);

  /** Part of a gradient. */
  record Piece(long offset, Tensor values) {}

  private final AdapterParameters adapters;
  private final FullParameters full;
  private final boolean large;
  private final TreeMap<Long, Long> sizes;
  private final List<Vector> vectors = new ArrayList<>();

  GradientVectors(AdapterParameters adapters, FullParameters full) {
    this.adapters = adapters;
    this.full = full;
    this.large = isLarge(adapters, full);
    this.sizes = sizes(adapters, full);
  }

  /** Whether the gradient comes and goes in pieces. */
  static boolean isLarge(AdapterParameters adapters, FullParameters full) {
    return !full.isEmpty() && adapters.size() + full.size() > SMALL;
  }

  /** The pieces: from which element on, how many. */
  static TreeMap<Long, Long> sizes(AdapterParameters adapters, FullParameters full) {
    TreeMap<Long, Long> out = new TreeMap<>();
    if (!isLarge(adapters, full)) {
      out.put(0L, adapters.size() + full.size());
      return out;
    }
    if (adapters.size() > 0) {
      out.put(0L, adapters.size());
    }
    out.putAll(full.pieces());
    return out;
  }

  /** How many lanes there may be: the same wherever as many threads compute. */
  static int lanes(AdapterParameters adapters, FullParameters full) {
    return lanes(adapters, full, DataParallel.most());
  }

  /** The same with so many threads. */
  static int lanes(AdapterParameters adapters, FullParameters full, int threads) {
    return isLarge(adapters, full) ? 1 : DataParallel.most(Float.BYTES * (adapters.size() + full.size()), threads);
  }

  /** Begins a pass, whose closing forgets what it computed unless it was kept; one at a time. */
  Pass begin(boolean accumulated) {
    return new Pass(accumulated ? 1 : 0);
  }

  /** What lanes compute in one pass. */
  final class Pass implements AutoCloseable {
    private final int first;
    private int lanes;
    private boolean kept;

    private Pass(int first) {
      this.first = first;
    }

    /** Whether the gradients of weights hold nothing yet, not even zeros. */
    boolean overwrite() {
      return large;
    }

    /** Where a lane adds; asked for before lanes run. */
    Gradients lane(int number) {
      lanes = Math.max(lanes, number + 1);
      return vector(first + number).views();
    }

    /** Adds all that lanes computed to the gradient. */
    void keep() {
      for (int i = 1; i < first + lanes; i++) {
        vector(0).take(vector(i));
      }
      kept = true;
      if (large && !vectors.isEmpty()) {
        vectors.subList(1, vectors.size()).clear();
      }
    }

    @Override
    public void close() {
      if (!kept) {
        clearFrom(first);
      }
    }
  }

  /** All of the gradient that the optimizer reads. */
  List<Piece> pieces() {
    List<Piece> out = new ArrayList<>();
    sizes.keySet().forEach(start -> out.add(new Piece(start, vector(0).piece(start, true))));
    return out;
  }

  /** The gradient of a parameter. */
  Tensor of(Scope into, Parameter p) {
    return vector(0).part(into, p.offset(), true, p.shape());
  }

  /** Whether reading the gradient for a step is to leave zeros behind; else {@link #clear} is to follow. */
  boolean clearedInPlace() {
    return !large;
  }

  /** Forgets the gradient. */
  void clear() {
    clearFrom(0);
  }

  private void clearFrom(int first) {
    List<Vector> some = vectors.subList(Math.min(first, vectors.size()), vectors.size());
    some.forEach(Vector::clear);
    if (large) {
      some.clear();
    }
  }

  /** What is in memory, in bytes. */
  long presentBytes() {
    return Float.BYTES * vectors.stream().flatMap(v -> v.pieces.keySet().stream()).mapToLong(sizes::get).sum();
  }

  private Vector vector(int number) {
    while (vectors.size() <= number) {
      vectors.add(new Vector());
    }
    return vectors.get(number);
  }

  @Override
  public void close() {
    vectors.forEach(Vector::close);
    vectors.clear();
  }

  /** The pieces of a vector that are there, and views of them. */
  private final class Vector implements AutoCloseable {
    private final Scope scope = new Scope();
    private final Scope ofViews = new Scope();
    private final TreeMap<Long, Tensor> pieces = new TreeMap<>();
    private Gradients views;

    Gradients views() {
      if (views == null) {
        WeightGradients weights =
            full.gradients(ofViews, (offset, shape) -> part(ofViews, offset, !large, shape));
        if (!large) {
          weights.prepare();
        }
        views = new Gradients(weights, adapters.gradients(ofViews,
            adapters.size() == 0 ? ofViews.none() : piece(0, true)));
      }
      return views;
    }

    Tensor part(Scope into, long offset, boolean zeros, long... shape) {
      long start = sizes.floorKey(offset);
      return into.kernels().viewSlice(piece(start, zeros || start == 0 && adapters.size() > 0), offset - start, shape);
    }

    Tensor piece(long start, boolean zeros) {
      return pieces.computeIfAbsent(start,
          s -> zeros ? scope.zeros(NumberType.F32, sizes.get(s))
              : scope.kernels().empty(new long[] {sizes.get(s)}, NumberType.F32, scope.device()));
    }

    /** Adds another vector and empties it; of a large one each piece goes as it has been added. */
    void take(Vector other) {
      if (large) {
        other.ofViews.close();
      }
      for (Map.Entry<Long, Tensor> entry : other.pieces.entrySet()) {
        if (!large) {
          scope.kernels().addAndClear(piece(entry.getKey(), true), entry.getValue());
        } else if (pieces.containsKey(entry.getKey())) {
          scope.kernels().addTo(pieces.get(entry.getKey()), entry.getValue(), false);
          other.scope.free(entry.getValue());
        } else {
          pieces.put(entry.getKey(), scope.adopt(entry.getValue(), other.scope));
        }
      }
    }

    void clear() {
      if (large) {
        close();
      } else {
        pieces.values().forEach(piece -> scope.kernels().zero(piece));
      }
    }

    @Override
    public void close() {
      ofViews.close();
      scope.close();
    }
  }
}
