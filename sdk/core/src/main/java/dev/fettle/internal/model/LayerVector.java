package dev.fettle.internal.model;

/**
 * The vectors of a layer, by the number that kernels know each by ({@code Vector.Q_NORM} in their source). The biases of
 * products come first, by the products' numbers; the bias of a norm stands behind it.
 */
public enum LayerVector {
  QKV_BIAS,
  O_BIAS,
  GATE_UP_BIAS,
  DOWN_BIAS,
  ROUTER_BIAS,
  EXPERTS_GATE_UP_BIAS,
  EXPERTS_DOWN_BIAS,
  /** Of what attention reads. */
  ATTENTION_NORM,
  ATTENTION_NORM_BIAS,
  /** Of what attention gives, before it is added to the residual stream. */
  ATTENTION_OUT_NORM,
  ATTENTION_OUT_NORM_BIAS,
  /** Of the residual stream after attention. */
  ATTENTION_SUM_NORM,
  ATTENTION_SUM_NORM_BIAS,
  /** Of each query. */
  Q_NORM,
  /** Of each key. */
  K_NORM,
  /** Of what the MLP reads. */
  MLP_NORM,
  MLP_NORM_BIAS,
  MLP_OUT_NORM,
  MLP_OUT_NORM_BIAS,
  /** Of the residual stream after the MLP. */
  MLP_SUM_NORM,
  MLP_SUM_NORM_BIAS,
  /** What is added to mean squares, one number. */
  EPS,
  /** Added to attention scores by distance, for each head; the same in all layers. */
  ATTENTION_BIAS,
  /** Of a layer with a state the weights of its convolution: [channels, 1, width]. */
  CONVOLUTION,
  /** The logarithm of how fast each head forgets ({@code A_log}). */
  DECAY,
  /** Added to what a token says to that. */
  DECAY_BIAS,
  /** Of what each head gives. */
  DELTA_NORM;

  /** The bias of a product. */
  public static LayerVector biasOf(Product product) {
    return values()[product.ordinal()];
  }

  /** The bias of a norm. */
  public LayerVector bias() {
    return values()[ordinal() + 1];
  }
}
