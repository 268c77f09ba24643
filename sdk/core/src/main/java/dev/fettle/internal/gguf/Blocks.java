package dev.fettle.internal.gguf;

import java.nio.ByteBuffer;

/** Turns blocks of GGUF's types into numbers and, of those types that are written, numbers into blocks. */
public final class Blocks {
  private static final int SMALL = 32;
  private static final int LARGE = 256;
  private static final int SCALE_BYTES = 12;

  private Blocks() {}

  /** Reads {@code into.length} numbers, a multiple of the block's, from a little-endian buffer's position on. */
  public static void read(GgmlType type, ByteBuffer from, float[] into) {
    for (int at = 0; at < into.length; at += type.block()) {
      switch (type) {
        case F32 -> into[at] = from.getFloat();
        case F16 -> into[at] = Halves.fromF16(from.getShort());
        case BF16 -> into[at] = Halves.fromBf16(from.getShort());
        case Q8_0 -> readQ8(from, into, at);
        case Q4_0 -> readQ4(from, into, at);
        case Q4_K -> readQ4K(from, into, at);
        case Q6_K -> readQ6K(from, into, at);
        default -> throw new IllegalArgumentException(type.name());
      }
    }
  }

  private static void readQ8(ByteBuffer from, float[] into, int at) {
    float scale = Halves.fromF16(from.getShort());
    for (int i = 0; i < SMALL; i++) {
      into[at + i] = from.get() * scale;
    }
  }

  private static void readQ4(ByteBuffer from, float[] into, int at) {
    float scale = Halves.fromF16(from.getShort());
    for (int i = 0; i < SMALL / 2; i++) {
      int pair = from.get();
      into[at + i] = ((pair & 15) - 8) * scale;
      into[at + SMALL / 2 + i] = ((pair >> 4 & 15) - 8) * scale;
    }
  }

  private static void readQ4K(ByteBuffer from, float[] into, int at) {
    float scale = Halves.fromF16(from.getShort());
    float least = Halves.fromF16(from.getShort());
    byte[] packed = new byte[SCALE_BYTES];
    from.get(packed);
    for (int pair = 0; pair < LARGE / SMALL; pair += 2) {
      float low = scale * sixBits(packed, pair, 0);
      float lowLeast = least * sixBits(packed, pair, 4);
      float high = scale * sixBits(packed, pair + 1, 0);
      float highLeast = least * sixBits(packed, pair + 1, 4);
      for (int i = 0; i < SMALL; i++) {
        int both = from.get();
        into[at + pair * SMALL + i] = low * (both & 15) - lowLeast;
        into[at + (pair + 1) * SMALL + i] = high * (both >> 4 & 15) - highLeast;
      }
    }
  }

  /** Of the first four groups the lower six bits of a byte; of the others four bits of the last bytes, and two that are left. */
  private static int sixBits(byte[] packed, int group, int of) {
    if (group < 4) {
      return packed[of + group] & 0x3F;
    }
    int last = packed[8 + group - 4];
    return (of == 0 ? last & 0x0F : last >> 4 & 0x0F) | packed[of + group - 4] >> 2 & 0x30;
  }

  private static void readQ6K(ByteBuffer from, float[] into, int at) {
    int low = from.position();
    int high = low + LARGE / 2;
    int scales = high + LARGE / 4;
    int end = scales + LARGE / 16;
    float scale = Halves.fromF16(from.getShort(end));
    for (int i = 0; i < LARGE; i++) {
      int half = i / 128;
      int within = i % 128;
      int fourBits = from.get(low + half * 64 + within % 64) >> (within < 64 ? 0 : 4) & 0x0F;
      int twoBits = from.get(high + half * 32 + within % 32) >> within / 32 * 2 & 3;
      into[at + i] = scale * from.get(scales + i / 16) * ((fourBits | twoBits << 4) - 32);
    }
    from.position(end + Short.BYTES);
  }

  /**
   * Writes the first {@code count} numbers, a multiple of the block's, as llama.cpp rounds them.
   *
   * @return whether the type can hold them: all are numbers, and none is beyond its range
   */
  static boolean write(GgmlType type, float[] from, int count, ByteBuffer into) {
    boolean whole = true;
    for (int at = 0; at < count; at += type.block()) {
      whole &= switch (type) {
        case F32 -> {
          into.putFloat(from[at]);
          yield true;
        }
        case F16 -> {
          short half = Halves.toF16(from[at]);
          into.putShort(half);
          yield !Float.isFinite(from[at]) || Float.isFinite(Halves.fromF16(half));
        }
        case BF16 -> {
          into.putShort(Halves.toBf16(from[at]));
          yield true;
        }
        case Q8_0 -> writeQ8(from, at, into);
        case Q4_0 -> writeQ4(from, at, into);
        default -> throw new IllegalArgumentException(type.name());
      };
    }
    return whole;
  }

  private static boolean writeQ8(float[] from, int at, ByteBuffer into) {
    float most = 0;
    for (int i = 0; i < SMALL; i++) {
      // NaN stays, so that the scale shows it.
      most = Math.max(most, Math.abs(from[at + i]));
    }
    float scale = most / 127;
    float inverse = inverse(scale);
    short half = Halves.toF16(scale);
    into.putShort(half);
    for (int i = 0; i < SMALL; i++) {
      float x = from[at + i] * inverse;
      float rounded = (float) Math.floor(Math.abs(x));
      rounded += (float) Math.floor(2 * (Math.abs(x) - rounded));
      into.put((byte) (x < 0 ? -rounded : rounded));
    }
    return Float.isFinite(Halves.fromF16(half));
  }

  private static boolean writeQ4(float[] from, int at, ByteBuffer into) {
    float extreme = from[at];
    for (int i = 1; i < SMALL; i++) {
      float x = from[at + i];
      extreme = Math.abs(x) > Math.abs(extreme) || Float.isNaN(x) ? x : extreme;
    }
    float scale = extreme / -8;
    float inverse = inverse(scale);
    short half = Halves.toF16(scale);
    into.putShort(half);
    for (int i = 0; i < SMALL / 2; i++) {
      into.put((byte) (fourBits(from[at + i], inverse) | fourBits(from[at + SMALL / 2 + i], inverse) << 4));
    }
    return Float.isFinite(Halves.fromF16(half));
  }

  private static int fourBits(float value, float inverse) {
    return Math.max(0, Math.min(15, (int) (value * inverse + 8.5f)));
  }

  /** 0 for what has none, so that all of a block become 0. */
  private static float inverse(float scale) {
    float inverse = 1 / scale;
    return Float.isFinite(inverse) ? inverse : 0;
  }
}
