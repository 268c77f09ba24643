package dev.fettle.internal.gguf;

import java.util.Map;
import java.util.Optional;

/** The number types of GGUF's tensors that are read, the first five written too, by the numbers that files have for them. */
public enum GgmlType {
  /** 32-bit IEEE floating point. */
  F32(0, 1, 4),
  /** 16-bit IEEE floating point. */
  F16(1, 1, 2),
  /** bfloat16: the upper half of an F32. */
  BF16(30, 1, 2),
  /** 32 numbers of 8 bits with one scale. */
  Q8_0(8, 32, 34),
  /** 32 numbers of 4 bits with one scale. */
  Q4_0(2, 32, 18),
  /** 256 numbers of 4 bits in eight groups, each with a scale and a minimum of 6 bits. */
  Q4_K(12, 256, 144),
  /** 256 numbers of 6 bits in sixteen groups, each with a scale of 8 bits. */
  Q6_K(14, 256, 210);

  /** Those that are not read, for messages. */
  private static final Map<Integer, String> OTHERS = Map.ofEntries(Map.entry(3, "Q4_1"), Map.entry(6, "Q5_0"), Map.entry(7, "Q5_1"),
      Map.entry(9, "Q8_1"), Map.entry(10, "Q2_K"), Map.entry(11, "Q3_K"), Map.entry(13, "Q5_K"), Map.entry(15, "Q8_K"),
      Map.entry(16, "IQ2_XXS"), Map.entry(17, "IQ2_XS"), Map.entry(18, "IQ3_XXS"), Map.entry(19, "IQ1_S"), Map.entry(20, "IQ4_NL"),
      Map.entry(21, "IQ3_S"), Map.entry(22, "IQ2_S"), Map.entry(23, "IQ4_XS"), Map.entry(24, "I8"), Map.entry(25, "I16"),
      Map.entry(26, "I32"), Map.entry(27, "I64"), Map.entry(28, "F64"), Map.entry(29, "IQ1_M"), Map.entry(34, "TQ1_0"),
      Map.entry(35, "TQ2_0"), Map.entry(39, "MXFP4"), Map.entry(40, "NVFP4"), Map.entry(41, "Q1_0"));

  private final int id;
  private final int block;
  private final int blockBytes;

  GgmlType(int id, int block, int blockBytes) {
    this.id = id;
    this.block = block;
    this.blockBytes = blockBytes;
  }

  /** The number that files have for it. */
  int id() {
    return id;
  }

  /** The number for files whose matrices are mostly of this type. */
  int fileType() {
    return switch (this) {
      case F32 -> 0;
      case F16 -> 1;
      case BF16 -> 32;
      case Q8_0 -> 7;
      case Q4_0 -> 2;
      default -> throw new IllegalStateException(name() + " is not written");
    };
  }

  /** The numbers of a block, of which a row is a multiple. */
  public int block() {
    return block;
  }

  /** Whether each number stands for itself. */
  public boolean isPlain() {
    return block == 1;
  }

  /** The bytes of so many numbers, a multiple of the block's; ArithmeticException where they are too many. */
  public long bytes(long elements) {
    return Math.multiplyExact(elements / block, blockBytes);
  }

  /** The type with a number, if it is one that is read. */
  static Optional<GgmlType> of(int id) {
    for (GgmlType type : values()) {
      if (type.id == id) {
        return Optional.of(type);
      }
    }
    return Optional.empty();
  }

  /** What people call a type with a number, read or not. */
  static String name(int id) {
    return of(id).map(Enum::name).orElseGet(() -> OTHERS.getOrDefault(id, "an unknown type (" + id + ")"));
  }
}
