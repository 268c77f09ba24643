package dev.fettle.internal.model;

/**
 * The matrix products of a layer, by the number that kernels know each by ({@code Product.QKV} in their source). Linear
 * layers that read the same input are one product.
 */
public enum Product {
  /** Queries, keys and values. */
  QKV,
  /** What attention gives, back to the residual stream. */
  O,
  /** The MLP's first: gate and up, or up alone. */
  GATE_UP,
  /** The MLP's last. */
  DOWN
}
