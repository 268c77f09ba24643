package dev.fettle.internal.network;

import dev.fettle.internal.model.Layout;
import dev.fettle.internal.torch.Kernels;
import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A matrix or vector of a model, however it is stored: nothing outside asks how. Kernels multiply with {@link #tensors}; what
 * looks at its numbers reads them dense, piece by piece. The scope that made the tensors owns them.
 */
public sealed interface Weight {
  /** What kernels multiply with, see {@code weight.py}. */
  List<Tensor> tensors();

  /** [outputs, inputs], or the length of a vector. */
  long[] shape();

  /** The memory that it takes. */
  long bytes();

  /** Rows, or elements of a vector, as numbers; they may share this weight's memory and are not to be changed. */
  Tensor dense(Scope scope, long start, long count);

  /** All of it, see {@link #dense(Scope, long, long)}. */
  default Tensor dense(Scope scope) {
    return dense(scope, 0, shape()[0]);
  }

  /** The part of it that is a weight of a model, see {@link #dense(Scope, long, long)}. */
  default Tensor dense(Scope scope, Layout.Weight part) {
    return dense(scope, part.offset() / part.columns(), part.shape()[0]);
  }

  /**
   * Numbers as they are.
   *
   * @param packed a copy in the order in which oneDNN reads it, or {@code null}
   */
  record Dense(Tensor values, NumberType type, Tensor packed) implements Weight {
    /** Without a copy. */
    public Dense(Tensor values, NumberType type) {
      this(values, type, null);
    }

    @Override
    public List<Tensor> tensors() {
      return packed == null ? List.of(values) : List.of(values, packed);
    }

    @Override
    public long[] shape() {
      return values.shape();
    }

    @Override
    public long bytes() {
      return (packed == null ? 1 : 2) * values.size() * type.size();
    }

    @Override
    public Tensor dense(Scope scope, long start, long count) {
      return scope.kernels().rows(values, start, count);
    }
  }

  /**
   * Numbers in the order in which the processor reads them alone, beside those that they were made of, which this does not own.
   *
   * @param tensors of oneDNN's form one, of 4-bit integers two
   */
  record Packed(Weight original, List<Tensor> tensors) implements Weight {
    @Override
    public long[] shape() {
      return original.shape();
    }

    @Override
    public long bytes() {
      return original.bytes();
    }

    @Override
    public Tensor dense(Scope scope, long start, long count) {
      return original.dense(scope, start, count);
    }
  }

  /**
   * Numbers in 8 or 4 bits.
   *
   * @param type that they have when they are read dense
   * @param shape [outputs, inputs]
   * @param tensors see {@code quantised.py}
   */
  record Quantised(WeightForm form, NumberType type, long[] shape, List<Tensor> tensors) implements Weight {
    /** What a pass holds on each thread of rows that it reads as numbers: 4 million, their bytes as indices, and they in bf16. */
    public static final long SCRATCH_BYTES = 40L << 20;
    /** Numbers that are rounded at a time. */
    private static final long PIECE = 4 << 20;

    /** Gives dense rows. */
    @FunctionalInterface
    public interface Rows {
      /** Rows from one on, counted from the first that is written. */
      Tensor of(Scope scope, long from, long count);
    }

    @Override
    public long bytes() {
      return form.bytes(type, shape);
    }

    @Override
    public Tensor dense(Scope scope, long start, long count) {
      return scope.kernels().denseRows(scope.list(tensors), start, count, type);
    }

    /** The same numbers with each row times a gain, which the scales take; empty where they cannot. */
    public Optional<Weight> scaled(Scope scope, Tensor gain) {
      if (form.nested()) {
        return Optional.empty();
      }
      List<Tensor> out = new ArrayList<>(tensors);
      out.set(1, gained(scope, tensors.get(1), gain));
      if (form.levels() == Levels.UINT4) {
        out.set(3, gained(scope, tensors.get(3), gain));
      }
      return Optional.of(new Quantised(form, type, shape, out));
    }

    private static Tensor gained(Scope scope, Tensor scales, Tensor gain) {
      long[] shape = scales.shape();
      Kernels k = scope.kernels();
      return shape.length == 2 ? k.scaleRows(scales, gain)
          : k.flat(k.scaleRows(k.viewSlice(scales, 0, new long[] {shape[0], 1}), gain));
    }

    /** The bytes that {@link #scaled} takes beside what it shares. */
    public long scaledBytes() {
      return form.nested() ? type.size() * shape[0] * shape[1]
          : form.bytes(type, shape) - shape[0] * shape[1] / (form.levels() == Levels.INT8 ? 1 : 2);
    }

    /** Rounds rows, some at a time. */
    public void write(long start, long count, Rows rows) {
      try (Scope own = new Scope()) {
        Tensor scales = own.kernels().rows(tensors.get(1), start, count);
        Tensor single = form.nested() ? own.zeros(NumberType.F32, scales.shape()) : scales;
        long step = Math.max(1, PIECE / shape[1]);
        for (long at = 0; at < count; at += step) {
          long some = Math.min(step, count - at);
          try (Scope piece = new Scope()) {
            Tensor[] parts = form.parts(piece, type, rows.of(piece, at, some));
            piece.kernels().copy(piece.kernels().rows(tensors.get(0), start + at, some), parts[0]);
            piece.kernels().copy(piece.kernels().rows(single, at, some), parts[1]);
          }
        }
        if (form.nested()) {
          nest(own, start, count, single);
        }
      }
    }

    private void nest(Scope own, long start, long count, Tensor scales) {
      Tensor[] nested = own.kernels().nestScales(scales, tensors.get(3));
      long perRow = form.blocks(shape[1]);
      long from = start * perRow / WeightForm.NEST;
      long groups = count * perRow / WeightForm.NEST;
      own.kernels().copy(own.kernels().rows(tensors.get(1), start, count), nested[0]);
      own.kernels().copy(own.kernels().rows(tensors.get(4), from, groups), nested[1]);
      own.kernels().copy(own.kernels().rows(tensors.get(5), from, groups), nested[2]);
    }

    /**
     * Takes rows over that are in this form already.
     *
     * @param codes as bytes
     * @param scales one for each row, or for each block of each row
     * @param least what each block adds; only of {@link Levels#UINT4}
     */
    public void put(long start, long count, Tensor codes, Tensor scales, Tensor least) {
      try (Scope own = new Scope()) {
        own.kernels().copy(own.kernels().rows(tensors.get(0), start, count), codes);
        own.kernels().copy(own.kernels().rows(tensors.get(1), start, count), scales);
        if (least != null) {
          own.kernels().copy(own.kernels().rows(tensors.get(3), start, count), least);
        }
      }
    }
  }
}
