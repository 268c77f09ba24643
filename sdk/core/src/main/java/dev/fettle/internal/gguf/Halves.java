package dev.fettle.internal.gguf;

/** 16-bit floating point, which Java 17 has no conversions for: rounded to the nearest, ties to even. */
final class Halves {
  private static final int SIGN = 0x8000;
  private static final int INFINITE = 0x7C00;
  private static final int QUIET = 0x0200;
  private static final int F32_INFINITE = 0x7F800000;
  /** The least magnitude that rounds to infinity. */
  private static final int OVERFLOW = 0x477FF000;
  /** The least magnitude that is normal as F16. */
  private static final int NORMAL = 0x38800000;
  private static final float LEAST = 0x1p-24f;

  private Halves() {}

  static float fromF16(short half) {
    int magnitude = half & 0x7FFF;
    float value;
    if (magnitude >= INFINITE) {
      value = Float.intBitsToFloat(F32_INFINITE | (magnitude & 0x3FF) << 13);
    } else if (magnitude < 0x0400) {
      value = magnitude * LEAST;
    } else {
      value = Float.intBitsToFloat((magnitude << 13) + (112 << 23));
    }
    return (half & SIGN) == 0 ? value : -value;
  }

  static short toF16(float value) {
    int bits = Float.floatToRawIntBits(value);
    int sign = bits >>> 16 & SIGN;
    int magnitude = bits & 0x7FFFFFFF;
    if (magnitude > F32_INFINITE) {
      return (short) (sign | INFINITE | QUIET);
    }
    if (magnitude >= OVERFLOW) {
      return (short) (sign | INFINITE);
    }
    if (magnitude < NORMAL) {
      // Adding it aligns the last bit that is kept with the last bit of a float, so that the sum is rounded there.
      return (short) (sign | Float.floatToRawIntBits(Float.intBitsToFloat(magnitude) + 0.5f) - Float.floatToRawIntBits(0.5f));
    }
    int rounded = magnitude + 0xFFF + (magnitude >>> 13 & 1);
    return (short) (sign | (rounded - (112 << 23)) >>> 13);
  }

  static float fromBf16(short half) {
    return Float.intBitsToFloat(half << 16);
  }

  static short toBf16(float value) {
    int bits = Float.floatToRawIntBits(value);
    if ((bits & 0x7FFFFFFF) > F32_INFINITE) {
      return (short) (bits >>> 16 | 0x40);
    }
    return (short) (bits + 0x7FFF + (bits >>> 16 & 1) >>> 16);
  }
}
