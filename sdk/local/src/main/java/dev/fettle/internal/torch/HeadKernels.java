package dev.fettle.internal.torch;

/** The output embedding, and losses over scores: {@code loss.py}, {@code contrastive.py}. */
interface HeadKernels {
  /** Logits [rows, vocabulary], float32; {@code outer}: see {@link OuterNumbers#reals}. */
  Tensor headLogits(Tensor x, NativeList<Tensor> head, double[] outer);

  /**
   * Logits where the compute type is not float32 or they have a soft cap (else empty), log softmax [rows, vocabulary], its
   * value at the targets, of which each row has as many.
   *
   * @param a the head's adapter, A [rank, hidden] and s B [vocabulary, rank], or none
   */
  Tensor[] headForward(Tensor x, NativeList<Tensor> head, NativeList<Tensor> a, Tensor targets, double[] outer);

  /**
   * The gradient of x from the derivatives by the logprob of each target; adds those of head and adapter. Overwrites {@code l}.
   *
   * @param l the log softmax
   * @param ghead that of the head, or empty
   * @param overwrite whether {@code ghead} is set rather than added to
   */
  Tensor headBackward(Tensor logits, Tensor l, Tensor logprob, Tensor targets, Tensor dlogprob, Tensor x,
      NativeList<Tensor> head, Tensor ghead, boolean overwrite, NativeList<Tensor> a, NativeList<Tensor> ga, double scale,
      double[] outer);

  /** A matrix of {@code rows} rows, zero but for those that {@code index} names. */
  Tensor spreadRows(Tensor dx, Tensor index, long rows);

  /** The logit of token yes less that of no: [rows, 1], float32; {@code rows}: [2, hidden], those tokens' embeddings. */
  Tensor preference(Tensor x, Tensor rows, NativeList<Tensor> a, long yes, long no, double[] outer);

  /** The gradient of x; adds those of head and adapter. */
  Tensor preferenceBackward(Tensor d, Tensor x, Tensor rows, NativeList<Tensor> a, long yes, long no, Tensor ghead,
      boolean overwrite, NativeList<Tensor> ga, double scale, double[] outer);

  /** Inner products [queries, texts]. */
  Tensor similarities(Tensor q, Tensor t);

  /** The gradients of queries and texts. */
  Tensor[] similaritiesBackward(Tensor d, Tensor q, Tensor t);

  /** Adds the gradients of rows that were selected. */
  void selectedBackward(Tensor d, Tensor index, Tensor into);

  /**
   * The scores [texts, 1] that a classifier's head gives pooled rows; with two labels the second's logit less the first's.
   *
   * @param w the first linear layer and its bias, the norm's weight and bias, the last linear layer and its bias; empty where
   *     there is none
   */
  Tensor classify(Tensor x, NativeList<Tensor> w, long activation, double eps);

  /** The gradient of x; adds those of the weights, or sets them. */
  Tensor classifyBackward(Tensor d, Tensor x, NativeList<Tensor> w, NativeList<Tensor> gw, boolean overwrite, long activation,
      double eps);
}
