package dev.fettle.internal.torch;

import dev.fettle.DType;

/** The number types that kernels meet, with libtorch's codes for them. */
public enum NumberType {
  /** Raw bytes. */
  BYTE(0, 1),
  /** 8-bit integers. */
  INT8(1, 1),
  /** 32-bit integers. */
  INT32(3, 4),
  /** 64-bit integers. */
  INT64(4, 8),
  /** IEEE half precision, only in files. */
  F16(5, 2),
  /** 32-bit floats. */
  F32(6, 4),
  /** bfloat16. */
  BF16(15, 2),
  /** 8-bit floats with 5 bits of exponent, only in files. */
  F8_E5M2(23, 1),
  /** 8-bit floats with 4 bits of exponent, only in files. */
  F8_E4M3(24, 1);

  private final int code;
  private final int size;

  NumberType(int code, int size) {
    this.code = code;
    this.size = size;
  }

  /** The type that a model computes in. */
  public static NumberType of(DType type) {
    return type == DType.BF16 ? BF16 : F32;
  }

  int code() {
    return code;
  }

  /** Bytes an element. */
  public int size() {
    return size;
  }
}
