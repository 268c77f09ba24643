package dev.fettle.internal.model;

import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;

/**
 * The final norm and the output embedding, applied to chosen rows in chunks, so that the logits of a batch, its largest
 * tensor by far, never exist as a whole.
 */
public final class Head {
  /** Rows of logits held at once. */
  static final int CHUNK = 256;

  private final ModelConfig config;
  private final Weights weights;
  private final Adapter adapter;
  private final int chunk;

  /** Without an adapter of its own. */
  public Head(Weights weights) {
    this(weights, null, 1);
  }

  /**
   * With the adapter that the output embedding may have.
   *
   * @param heads how many are at work at a time and share the memory for logits
   */
  public Head(Weights weights, Adapter adapter, int heads) {
    this.config = weights.layout().config();
    this.weights = weights;
    this.adapter = adapter;
    this.chunk = Math.max(1, CHUNK / heads);
  }

  /** From the logprobs of the targets of some rows to the derivative of the loss by each of them. */
  @FunctionalInterface
  public interface Derivative {
    /** {@code first}: the place of the first of these rows among the chosen ones. */
    float[] of(int first, float[] logprobs);
  }

  /** The logits of chosen rows: [rows, vocabulary], float32. */
  public Tensor logits(Scope scope, Tensor output, int... rows) {
    Tensor x = scope.call("select_rows", output, scope.longs(rows));
    return scope.call("head_logits", normed(scope, x), weights.head());
  }

  /** The logprob of a target at each of the chosen rows. */
  public float[] logprobs(Scope step, Tensor output, int[] rows, int[] targets) {
    float[] out = new float[rows.length];
    try (Scope scope = new Scope()) {
      Tensor n = normed(scope, scope.call("select_rows", output, scope.longs(rows)));
      for (int i = 0; i < rows.length; i += chunk) {
        int count = Math.min(chunk, rows.length - i);
        try (Scope piece = new Scope()) {
          Tensor[] f = forward(piece, piece.call("rows", n, i, count), targets(piece, targets, i, count));
          System.arraycopy(f[2].floats(), 0, out, i, count);
        }
      }
    }
    return out;
  }

  /**
   * The gradient of a loss by the output of the last layer, all rows; adds the gradients of norm and head.
   *
   * @param rows the rows that take part in the loss, at least one
   * @param fresh whether the gradients of norm and head are set rather than added to
   */
  public Tensor gradient(Scope step, Tensor output, int allRows, int[] rows, int[] targets, Derivative derivative,
      WeightGradients gradients, AdapterGradients ofAdapter, boolean fresh) {
    try (Scope scope = new Scope()) {
      Tensor index = scope.longs(rows);
      Tensor x = scope.call("select_rows", output, index);
      Tensor n = normed(scope, x);
      Tensor dn = scope.call("clone", n);
      for (int i = 0; i < rows.length; i += chunk) {
        int count = Math.min(chunk, rows.length - i);
        try (Scope piece = new Scope()) {
          Tensor part = piece.call("rows", n, i, count);
          Tensor t = targets(piece, targets, i, count);
          Tensor[] f = forward(piece, part, t);
          Tensor d = piece.floats(derivative.of(i, f[2].floats()));
          Tensor dpart = piece.call("head_backward", f[0], f[1], f[2], t, d, part, weights.head(), gradients.head(),
              fresh && i == 0, adapter.headA(), adapter.headB(), ofAdapter.headA(), ofAdapter.headB(),
              adapter.shape().headScale());
          piece.effect("copy", piece.call("rows", dn, i, count), dpart);
        }
      }
      Tensor dx = scope.call("rms_norm_backward", dn, x, weights.finalNorm(), config.rmsNormEps(),
          gradients.finalNorm(), fresh, scope.call("no_residual", x));
      return step.call("spread_rows", dx, index, allRows);
    }
  }

  private Tensor[] forward(Scope scope, Tensor rows, Tensor targets) {
    Tensor none = scope.call("nothing", false);
    return scope.tuple("head_forward", rows, weights.head(), adapter == null ? none : adapter.headA(),
        adapter == null ? none : adapter.headB(), targets);
  }

  /** The logit of one token less that of another at chosen rows: [rows, 1], float32. */
  public Tensor preference(Scope step, Tensor output, int[] rows, int yes, int no) {
    Tensor x = step.call("select_rows", output, step.longs(rows));
    return step.call("preference", normed(step, x), weights.head(), adapter.headA(), adapter.headB(), yes, no);
  }

  /** The gradient by the output of the last layer, all rows, of {@link #preference}; adds those of norm and head. */
  public Tensor preferenceGradient(Scope step, Tensor output, int allRows, int[] rows, int yes, int no, Tensor gradient,
      WeightGradients gradients, AdapterGradients ofAdapter, boolean fresh) {
    Tensor index = step.longs(rows);
    Tensor x = step.call("select_rows", output, index);
    Tensor dn = step.call("preference_backward", gradient, normed(step, x), weights.head(), adapter.headA(),
        adapter.headB(), yes, no, gradients.head(), fresh, ofAdapter.headA(), ofAdapter.headB(),
        adapter.shape().headScale());
    Tensor dx = step.call("rms_norm_backward", dn, x, weights.finalNorm(), config.rmsNormEps(), gradients.finalNorm(),
        fresh, step.call("no_residual", x));
    return step.call("spread_rows", dx, index, allRows);
  }

  private Tensor normed(Scope scope, Tensor x) {
    return scope.call("rms_norm", x, weights.finalNorm(), config.rmsNormEps());
  }

  private static Tensor targets(Scope scope, int[] targets, int first, int count) {
    return scope.longs(java.util.Arrays.copyOfRange(targets, first, first + count));
  }
}
