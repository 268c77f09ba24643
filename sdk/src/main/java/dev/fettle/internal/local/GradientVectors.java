package dev.fettle.internal.local;

import dev.fettle.internal.local.ParameterVector.Parameter;
import dev.fettle.internal.model.WeightGradients;
import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/**
 * The gradients of a training, a vector for each lane. Small ones are one piece each, kept and zeroed. Where one would be as
 * large as a model, there is one lane only, in pieces of a layer each that come into being as the backward pass reaches
 * them and frees the activations of the layers above, and go after each step; the first pass writes into them without
 * anybody having cleared them.
 */
final class GradientVectors implements AutoCloseable {
  /** Elements up to which gradients are kept. */
  private static final long SMALL = Long.getLong("fettle.gradient", 32L << 20);

  /** Part of a gradient. */
  record Piece(long offset, Tensor values) {}

  private final AdapterPart adapters;
  private final WeightPart full;
  private final boolean large;
  private final TreeMap<Long, Long> sizes = new TreeMap<>();
  private final List<Lane> lanes = new ArrayList<>();
  private boolean cleared = true;
  private Scope scope = new Scope();

  /** The pieces of a lane that are there, and its views. */
  private static final class Lane {
    private final TreeMap<Long, Tensor> pieces = new TreeMap<>();
    private Gradients views;
  }

  GradientVectors(AdapterPart adapters, WeightPart full) {
    this.adapters = adapters;
    this.full = full;
    long size = adapters.size() + full.size();
    this.large = !full.isEmpty() && size > SMALL;
    if (large) {
      if (adapters.size() > 0) {
        sizes.put(0L, adapters.size());
      }
      sizes.putAll(full.pieces());
    } else {
      sizes.put(0L, size);
    }
  }

  /** How many lanes there may be. */
  int most() {
    return large ? 1 : Lanes.most();
  }

  /** The views of a lane. */
  Gradients lane(int number) {
    while (lanes.size() <= number) {
      Lane lane = new Lane();
      lanes.add(lane);
      WeightGradients weights = full.gradients(scope, (offset, shape) -> part(scope, lane, offset, shape));
      if (!large) {
        weights.prepare();
      }
      lane.views = new Gradients(weights, adapters.gradients(scope,
          adapters.size() == 0 ? scope.none() : piece(lane, 0)));
    }
    return lanes.get(number).views;
  }

  private Tensor part(Scope into, Lane lane, long offset, long... shape) {
    long start = sizes.floorKey(offset);
    return into.kernels().viewSlice(piece(lane, start), offset - start, shape);
  }

  private Tensor piece(Lane lane, long start) {
    boolean zeros = cleared || start == 0 && adapters.size() > 0;
    return lane.pieces.computeIfAbsent(start,
        s -> zeros ? scope.zeros(NumberType.F32, sizes.get(s))
            : scope.kernels().empty(new long[] {sizes.get(s)}, NumberType.F32, scope.device()));
  }

  /**
   * Makes ready for a pass after which there is a gradient where there was none.
   *
   * @return whether the gradients of weights hold nothing yet, not even zeros
   */
  boolean begin() {
    cleared = !large;
    return large;
  }

  /** All of the gradient that the optimizer reads. */
  List<Piece> pieces() {
    cleared = true;
    lane(0);
    List<Piece> out = new ArrayList<>();
    sizes.keySet().forEach(start -> out.add(new Piece(start, piece(lanes.get(0), start))));
    return out;
  }

  /** The gradient of a parameter. */
  Tensor of(Scope into, Parameter p) {
    lane(0);
    return part(into, lanes.get(0), p.offset(), p.shape());
  }

  /** A copy of all of it. */
  List<Tensor> copy(Scope into) {
    return pieces().stream().map(piece -> into.kernels().clone(piece.values())).toList();
  }

  /** Forgets the gradient, and puts a copy in its place if there is one. */
  void restore(List<Tensor> copy) {
    clear();
    if (!copy.isEmpty()) {
      List<Piece> pieces = pieces();
      for (int i = 0; i < copy.size(); i++) {
        scope.kernels().copy(pieces.get(i).values(), copy.get(i));
      }
    }
  }

  /** Adds the lanes from the second on to the first, and zeroes them. */
  void join(int count) {
    for (int i = 1; i < count; i++) {
      scope.kernels().addAndClear(piece(lanes.get(0), 0), piece(lanes.get(i), 0));
    }
  }

  /** Whether reading the gradient for a step is to leave zeros behind; else {@link #clear} is to follow. */
  boolean clearedInPlace() {
    return !large;
  }

  /** Forgets the gradient. */
  void clear() {
    cleared = true;
    if (large) {
      scope.close();
      scope = new Scope();
      lanes.clear();
    } else {
      lanes.forEach(lane -> lane.pieces.values().forEach(piece -> scope.kernels().zero(piece)));
    }
  }

  @Override
  public void close() {
    scope.close();
  }
}
