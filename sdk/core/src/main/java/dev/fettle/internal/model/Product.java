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
  DOWN,
  /** From what the MLP reads to a number for each expert. */
  ROUTER,
  /** Gate and up of all experts, those of one side by side. */
  EXPERTS_GATE_UP,
  /** The experts' last. */
  EXPERTS_DOWN;

  /** Whether it is one of experts, of which a row goes through some. */
  public boolean isOfExperts() {
    return this == EXPERTS_GATE_UP || this == EXPERTS_DOWN;
  }
}
