package dev.fettle;

/**
 * How a GGUF holds the matrices of a model, see {@link Training#saveGguf}. Vectors, and the routers of experts, are {@link #F32}
 * in all of them.
 */
public enum GgufType {
  /** 32-bit IEEE floating point. */
  F32,
  /** 16-bit IEEE floating point; weights beyond 65,504 are rejected. */
  F16,
  /** bfloat16: the range of F32 with 8 bits of precision. */
  BF16,
  /** 8 bits and a scale for each 32 numbers: 8.5 bits a weight. A matrix whose rows are no multiple of 32 is F16. */
  Q8_0,
  /** 4 bits and a scale for each 32 numbers: 4.5 bits a weight; the output embedding, which suffers most, is {@link #Q8_0}. */
  Q4_0
}
