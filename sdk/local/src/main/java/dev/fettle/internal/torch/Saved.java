package dev.fettle.internal.torch;

/** What a layer keeps for its backward pass, by the number that kernels know each by ({@code Saved.QKV} in their source). */
enum Saved {
  /** The residual stream before the layer. */
  INPUT,
  /** What the first product gave. */
  QKV,
  QUERIES,
  KEYS,
  VALUES,
  /** What attention gave. */
  ATTENDED,
  /** The residual stream between the layer's parts. */
  MIDDLE,
  /** What the MLP's first product gave, or those of the experts that rows went through. */
  MLP,
  /** What the router gave; empty without experts. */
  ROUTED,
  /** Where begins what the norms behind the parts need. */
  BRANCHES
}
