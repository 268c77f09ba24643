package dev.fettle.internal.gguf;

import java.util.Optional;

/** The types that a value of a GGUF's metadata can have, in the order of the numbers that files have for them. */
enum ValueType {
  U8(1), I8(1), U16(2), I16(2), U32(4), I32(4), F32(4), BOOL(1), STRING(8), ARRAY(12), U64(8), I64(8), F64(8);

  private final int least;

  ValueType(int least) {
    this.least = least;
  }

  /** The bytes that one takes at least. */
  int leastBytes() {
    return least;
  }

  /** Whether it is a whole number. */
  boolean isWhole() {
    return this != F32 && this != F64 && this != BOOL && this != STRING && this != ARRAY;
  }

  static Optional<ValueType> of(int id) {
    return id >= 0 && id < values().length ? Optional.of(values()[id]) : Optional.empty();
  }
}
