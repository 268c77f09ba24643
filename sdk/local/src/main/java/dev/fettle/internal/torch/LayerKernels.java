package dev.fettle.internal.torch;

/**
 * Embeddings, layers, pooling: {@code embedding.py}, {@code norm.py}, {@code layer.py}. Rows are packed tokens; {@code runs}
 * lists how many sequences follow each other and how long they are, in turn.
 */
public interface LayerKernels {
  /** What a layer gives, and keeps for the backward pass. */
  record LayerOutput(Tensor y, NativeList<Tensor> saved) {}

  /**
   * What a backward pass gives.
   *
   * @param x the gradient of the layer's input
   * @param before those of the keys and values of the rows before it in the same sequence, if there are any
   */
  record LayerGradient(Tensor x, NativeList<Tensor> before) {}

  /**
   * A layer.
   *
   * @param x [rows, hidden]
   * @param w weights by {@link Product}
   * @param v vectors by {@link LayerVector}
   * @param a adapters by {@link Product}: A, s B, and with magnitudes gain and inverse norm; empty lists where there is none
   * @param m dropout masks by {@link Product}; an empty list without dropout
   * @param cos [rows, 1, half], or empty where nothing is rotated
   * @param dims see {@link LayerNumbers#dims()}
   * @param reals see {@link LayerNumbers#reals()}
   * @param before where x is a part of a sequence, keys and values of each part before it; mostly empty
   */
  LayerOutput layerForward(Tensor x, NativeList<NativeList<Tensor>> w, NativeList<Tensor> v, NativeList<NativeList<Tensor>> a,
      NativeList<Tensor> m, Tensor cos, Tensor sin, long[] runs, long[] dims, double[] reals, NativeList<NativeList<Tensor>> before);

  /**
   * The gradient of the layer's input from that of its output {@code dy}; adds the gradients of what is trained.
   *
   * @param saved what {@link #layerForward} kept, or the layer's input alone
   * @param gw gradients of weights by {@link Product}, of those projections that are trained; empty where none is
   * @param gv gradients of vectors by {@link LayerVector}
   * @param ga gradients of adapters by {@link Product}: A, the flat B's, their biases, magnitudes
   * @param blocks by {@link Product} rows and adapter's rank of each projection in turn
   * @param scales by {@link Product} the factor of each projection's adapter
   * @param flags by {@link Product} 1 for each projection whose weight is trained, else 0, and 2 more where its bias is
   * @param overwrite whether {@code gw} and {@code gv} are set rather than added to
   * @param below whether the gradient of the input is wanted; where not, what is returned for it means nothing
   * @param before as {@link #layerForward} has it
   * @param after what each part after it gave for all keys and values before its own
   */
  LayerGradient layerBackward(Tensor dy, NativeList<Tensor> saved, NativeList<NativeList<Tensor>> w, NativeList<Tensor> v,
      NativeList<NativeList<Tensor>> a, NativeList<Tensor> m, NativeList<Tensor> gw, NativeList<Tensor> gv,
      NativeList<NativeList<Tensor>> ga, NativeList<long[]> blocks, NativeList<double[]> scales, NativeList<long[]> flags,
      boolean overwrite, boolean below, Tensor cos, Tensor sin, long[] runs, long[] dims, double[] reals,
      NativeList<NativeList<Tensor>> before, NativeList<NativeList<Tensor>> after);

  /** Keys and values of what {@link #layerForward} saved; copied where the rest of it is to go. */
  NativeList<Tensor> keysOfPart(NativeList<Tensor> saved, boolean copied);

  /**
   * Cosines and sines of the rotation at some positions, times a factor: [positions, 1, frequencies].
   *
   * @param frequencies radians per position: [frequencies], or those of each position, [positions, frequencies]
   */
  Tensor[] angles(Tensor positions, Tensor frequencies, double factor, NumberType dtype);

  /** {@code x / rms(x) w}, or {@code (1 + w)} in its place; {@code eps} is a tensor of one number. */
  Tensor rmsNorm(Tensor x, Tensor w, Tensor eps, boolean unitOffset);

  /** {@code onto} plus the gradient of x; adds that of w, unless {@code gw} is empty. */
  Tensor rmsNormBackward(Tensor dy, Tensor x, Tensor w, double eps, boolean unitOffset, Tensor gw, boolean overwrite, Tensor onto);

  /** What {@link #rmsNormBackward} adds to where there is no residual. */
  Tensor noResidual(Tensor x);

  /** The norm, and mean and 1 / deviation of each row. */
  Tensor[] layerNorm(Tensor x, Tensor w, Tensor b, double eps);

  /** The gradient of x; adds those of w and b, unless their places are empty. */
  Tensor layerNormBackward(Tensor dy, Tensor x, Tensor mean, Tensor rstd, Tensor w, Tensor b, Tensor gw, Tensor gb,
      boolean overwrite);

  /** Embeddings [tokens, hidden] of tokens; {@code a}: an adapter's A [rank, vocabulary] and s B [hidden, rank], or none. */
  Tensor embed(NativeList<Tensor> table, Tensor ids, NumberType dtype, NativeList<Tensor> a, double[] outer);

  /** The gradient of what {@link #embed} has scaled, in place. */
  void unscaleEmbedded(Tensor dx, double[] outer);

  /** Adds the gradient of the table, or sets it; the row of {@code padding} (-1 for none) has none. */
  void embeddingGradient(Tensor dx, Tensor ids, Tensor into, boolean overwrite, long padding);

  /** Adds the gradients of an adapter of the embedding. */
  void embeddingAdapterGradient(Tensor dx, Tensor ids, NativeList<Tensor> a, NativeList<Tensor> ga, double scale, long padding);

  /** {@code w + scale (b a)^T}, float32. */
  Tensor mergedEmbedding(Tensor w, Tensor a, Tensor b, double scale);

  /** Sums of embeddings of words, of positions and of segments, of the first where {@code kinds} is empty. */
  Tensor embedRows(NativeList<Tensor> words, Tensor places, Tensor segments, Tensor ids, Tensor positions, Tensor kinds, NumberType dtype);

  /** Adds the gradients of the three, or sets them; empty places are left out. */
  void embedRowsBackward(Tensor dx, Tensor ids, Tensor positions, Tensor kinds, Tensor words, Tensor places,
      Tensor segments, boolean overwrite, long padding);

  /** One vector a text, float32: what each mode makes of its rows but for the first {@code unpooled}, side by side. */
  Tensor pool(Tensor x, long[] runs, long[] modes, long unpooled);

  /** The gradient of the rows {@code x}, in their type. */
  Tensor poolBackward(Tensor d, long[] runs, long[] modes, Tensor x);

  /**
   * A linear layer and an activation, in float32.
   *
   * @param b empty where there is no bias
   * @param r what x is multiplied with before it is added; empty where x itself is
   * @param adds whether x is added at all
   */
  Tensor vectorDense(Tensor x, Tensor w, Tensor b, Tensor r, long activation, boolean adds);

  /** The gradient of x. */
  Tensor vectorDenseBackward(Tensor d, Tensor x, Tensor w, Tensor b, Tensor r, long activation, boolean adds);

  /** Rows divided by their lengths. */
  Tensor unit(Tensor x);

  /** The gradient of x. */
  Tensor unitBackward(Tensor d, Tensor x);
}
