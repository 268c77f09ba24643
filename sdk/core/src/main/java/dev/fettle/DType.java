package dev.fettle;

/** The number type in which a model computes. Adapters, gradients and optimizer moments are 32-bit in both. */
public enum DType {
  /** 32-bit IEEE floating point. */
  F32,
  /** bfloat16: the range of F32 with 8 bits of precision; fast where the processor has bf16 dot products. */
  BF16
}
