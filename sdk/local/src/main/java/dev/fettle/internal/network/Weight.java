package dev.fettle.internal.network;

import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import java.util.List;

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

  /** Numbers in oneDNN's order alone, beside those that they were made of, which this does not own. */
  record Packed(Dense original, Tensor packed) implements Weight {
    @Override
    public List<Tensor> tensors() {
      return List.of(packed);
    }

    @Override
    public long[] shape() {
      return original.shape();
    }

    @Override
    public long bytes() {
      return original.values.size() * original.type.size();
    }

    @Override
    public Tensor dense(Scope scope, long start, long count) {
      return original.dense(scope, start, count);
    }
  }

  /**
   * 8-bit integers with a scale for each row.
   *
   * @param codes [outputs, inputs]
   * @param scales [outputs]
   */
  record Int8(Tensor codes, Tensor scales) implements Weight {
    @Override
    public List<Tensor> tensors() {
      return List.of(codes, scales);
    }

    @Override
    public long[] shape() {
      return codes.shape();
    }

    @Override
    public long bytes() {
      return codes.size() + scales.size() * NumberType.BF16.size();
    }

    @Override
    public Tensor dense(Scope scope, long start, long count) {
      return scope.kernels().dequantiseRows(codes, scales, start, count);
    }
  }
}
