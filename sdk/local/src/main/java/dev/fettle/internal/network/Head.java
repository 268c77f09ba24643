package dev.fettle.internal.network;

import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;

/**
 * The final norm and the output embedding, applied to chosen rows in chunks, so that the logits of a batch, its largest
 * tensor by far, never exist as a whole.
 */
public final class Head {
  /** Rows of logits held at once. */
  static final int CHUNK = 256;

  private final Weights weights;
  private final Adapter adapter;
  private final int chunk;
  private final double[] outer;

  /**
   * With the adapter that the output embedding may have.
   *
   * @param heads how many are at work at a time and share the memory for logits
   */
  public Head(Weights weights, Adapter adapter, int heads) {
    this.weights = weights;
    this.adapter = adapter;
    this.chunk = Math.max(1, CHUNK / heads);
    this.outer = weights.layout().config().numbers().reals(weights.type() == NumberType.BF16);
  }

  /** From the logprobs of the targets of some rows to the derivative of the loss by each of them. */
  @FunctionalInterface
  public interface Derivative {
    /** {@code first}: the place of the first of these targets among all. */
    float[] of(int first, float[] logprobs);
  }

  /** The logits of chosen rows, without the head's adapter: [rows, vocabulary], float32. */
  public Tensor logits(Scope scope, Tensor output, int... rows) {
    Tensor x = scope.kernels().selectRows(output, scope.longs(rows));
    return scope.kernels().headLogits(normed(scope, x), weights.head(), outer);
  }

  /** The logprobs of the targets at the chosen rows. */
  public float[] logprobs(Scope step, Tensor output, TargetRows chosen) {
    float[] out = new float[chosen.ids().length];
    try (Scope scope = new Scope(step.device())) {
      Tensor n = normed(scope, scope.kernels().selectRows(output, scope.longs(chosen.rows())));
      for (int i = 0; i < chosen.rows().length;) {
        TargetRows.Piece some = chosen.piece(i, chunk);
        try (Scope piece = new Scope(step.device())) {
          Tensor[] f = forward(piece, piece.kernels().rows(n, i, some.count()), piece.longs(some.targets()));
          float[] values = some.values(f[2].floats());
          System.arraycopy(values, 0, out, some.first(), values.length);
        }
        i += some.count();
      }
    }
    return out;
  }

  /** Takes the log probabilities of all tokens at some of the chosen rows, the first of them by its place. */
  @FunctionalInterface
  public interface Reading {
    void of(Scope piece, int first, int count, Tensor logprobs);
  }

  /** Shows the log probabilities of all tokens at the chosen rows, some rows at a time. */
  public void read(Scope step, Tensor output, int[] rows, Reading reading) {
    try (Scope scope = new Scope(step.device())) {
      Tensor n = normed(scope, scope.kernels().selectRows(output, scope.longs(rows)));
      for (int i = 0; i < rows.length; i += chunk) {
        int count = Math.min(chunk, rows.length - i);
        try (Scope piece = new Scope(step.device())) {
          Tensor[] f = forward(piece, piece.kernels().rows(n, i, count), piece.longs(new int[count]));
          reading.of(piece, i, count, f[1]);
        }
      }
    }
  }

  /**
   * The gradient of a loss by the output of the last layer, all rows; adds the gradients of norm and head.
   *
   * @param chosen the rows that take part in the loss, at least one
   * @param overwrite whether the gradients of norm and head are set rather than added to
   */
  public Tensor gradient(Scope step, Tensor output, int allRows, TargetRows chosen, Derivative derivative,
      WeightGradients gradients, AdapterGradients ofAdapter, boolean overwrite) {
    try (Scope scope = new Scope(step.device())) {
      Tensor index = scope.longs(chosen.rows());
      Tensor x = scope.kernels().selectRows(output, index);
      Tensor[] normed = FinalNorm.forward(scope, x, weights);
      Tensor n = normed[0];
      Tensor dn = scope.kernels().clone(n);
      for (int i = 0; i < chosen.rows().length;) {
        TargetRows.Piece some = chosen.piece(i, chunk);
        try (Scope piece = new Scope(step.device())) {
          Tensor part = piece.kernels().rows(n, i, some.count());
          Tensor t = piece.longs(some.targets());
          Tensor[] f = forward(piece, part, t);
          Tensor d = piece.floats(some.filled(derivative.of(some.first(), some.values(f[2].floats()))));
          Tensor dpart = piece.kernels().headBackward(f[0], f[1], f[2], t, d, part, weights.head(), gradients.head(),
              overwrite && i == 0, adapter.nativeHead(), ofAdapter.head(), adapter.shape().head().scale(), outer);
          piece.kernels().copy(piece.kernels().rows(dn, i, some.count()), dpart);
        }
        i += some.count();
      }
      return spread(step, scope, dn, x, normed, index, allRows, gradients, overwrite);
    }
  }

  private Tensor[] forward(Scope scope, Tensor rows, Tensor targets) {
    return scope.kernels().headForward(rows, weights.head(), adapter.nativeHead(), targets, outer);
  }

  /** The logit of one token less that of another at chosen rows: [rows, 1], float32. */
  public Tensor preference(Scope step, Tensor output, int[] rows, int yes, int no) {
    Tensor x = step.kernels().selectRows(output, step.longs(rows));
    return step.kernels().preference(normed(step, x), twoRows(step, yes, no), adapter.nativeHead(), yes, no, outer);
  }

  /** The gradient by the output of the last layer, all rows, of {@link #preference}; adds those of norm and head. */
  public Tensor preferenceGradient(Scope step, Tensor output, int allRows, int[] rows, int yes, int no, Tensor gradient,
      WeightGradients gradients, AdapterGradients ofAdapter, boolean overwrite) {
    Tensor index = step.longs(rows);
    Tensor x = step.kernels().selectRows(output, index);
    Tensor[] normed = FinalNorm.forward(step, x, weights);
    Tensor dn = step.kernels().preferenceBackward(gradient, normed[0], twoRows(step, yes, no), adapter.nativeHead(), yes,
        no, gradients.head(), overwrite, ofAdapter.head(), adapter.shape().head().scale(), outer);
    return spread(step, step, dn, x, normed, index, allRows, gradients, overwrite);
  }

  private Tensor twoRows(Scope step, int yes, int no) {
    return step.kernels().joined(weights.headWeight().dense(step, yes, 1), weights.headWeight().dense(step, no, 1), 0);
  }

  /** Through the norm, and to their places among all rows. */
  private Tensor spread(Scope step, Scope scope, Tensor dn, Tensor x, Tensor[] normed, Tensor index, int allRows,
      WeightGradients gradients, boolean overwrite) {
    Tensor dx = FinalNorm.backward(scope, dn, x, normed, weights, gradients, overwrite);
    return step.kernels().spreadRows(dx, index, allRows);
  }

  private Tensor normed(Scope scope, Tensor x) {
    return FinalNorm.forward(scope, x, weights)[0];
  }
}
