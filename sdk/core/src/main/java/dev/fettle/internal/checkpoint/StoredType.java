package dev.fettle.internal.checkpoint;

import java.util.Optional;

/**
 * The number types that a safetensors file can hold, named as in its header. All are known so that files that contain
 * them can be read; which of them a weight may have is for the reader of the weights to decide.
 */
public enum StoredType {
  /** 32-bit IEEE floating point. */
  F32(4, "float32"),
  /** 16-bit IEEE floating point. */
  F16(2, "float16"),
  /** bfloat16: the upper half of an F32. */
  BF16(2, "bfloat16"),
  /** 64-bit IEEE floating point. */
  F64(8, "float64"),
  /** Signed 8-bit integer. */
  I8(1, "int8"),
  /** Signed 16-bit integer. */
  I16(2, "int16"),
  /** Signed 32-bit integer. */
  I32(4, "int32"),
  /** Signed 64-bit integer. */
  I64(8, "int64"),
  /** Unsigned 8-bit integer. */
  U8(1, "uint8"),
  /** Unsigned 16-bit integer. */
  U16(2, "uint16"),
  /** Unsigned 32-bit integer. */
  U32(4, "uint32"),
  /** Unsigned 64-bit integer. */
  U64(8, "uint64"),
  /** One byte, 0 or 1. */
  BOOL(1, "bool"),
  /** 8-bit floating point with 4 bits of exponent. */
  F8_E4M3(1, "float8_e4m3fn"),
  /** 8-bit floating point with 5 bits of exponent. */
  F8_E5M2(1, "float8_e5m2"),
  /** 8-bit power-of-two scale. */
  F8_E8M0(1, "float8_e8m0fnu"),
  /** A pair of F32. */
  C64(8, "complex64");

  private final int size;
  private final String torchName;

  StoredType(int size, String torchName) {
    this.size = size;
    this.torchName = torchName;
  }

  /** Bytes of one element. */
  public int size() {
    return size;
  }

  /** The name that PyTorch and config.json give it, such as {@code bfloat16}. */
  public String torchName() {
    return torchName;
  }

  /** Whether weights of this type can be loaded: F32, F16 and BF16. */
  public boolean isWeight() {
    return this == F32 || this == F16 || this == BF16;
  }

  /** The type with the given name in a safetensors header. */
  public static Optional<StoredType> ofHeader(String name) {
    for (StoredType type : values()) {
      if (type.name().equals(name)) {
        return Optional.of(type);
      }
    }
    return Optional.empty();
  }

  /** The type with the given PyTorch name, with or without the prefix {@code torch.}. */
  public static Optional<StoredType> ofTorch(String name) {
    String bare = name.startsWith("torch.") ? name.substring("torch.".length()) : name;
    for (StoredType type : values()) {
      if (type.torchName.equals(bare)) {
        return Optional.of(type);
      }
    }
    return Optional.empty();
  }
}
