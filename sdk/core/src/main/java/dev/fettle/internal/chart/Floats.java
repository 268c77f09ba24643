package dev.fettle.internal.chart;

import dev.fettle.InvalidInputException;
import dev.fettle.internal.checkpoint.StoredTensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** The numbers of tensors in files. */
final class Floats {
  private Floats() {}

  /** All numbers in some bytes of a tensor. */
  static float[] of(StoredTensor tensor, ByteBuffer bytes) {
    bytes.order(ByteOrder.LITTLE_ENDIAN);
    float[] values = new float[bytes.remaining() / tensor.type().size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = switch (tensor.type()) {
        case F32 -> bytes.getFloat();
        case BF16 -> Float.intBitsToFloat(bytes.getShort() << 16);
        case F16 -> half(bytes.getShort());
        default -> throw new InvalidInputException(tensor.file() + ": " + tensor.name() + " is " + tensor.type()
            + "; a weight can be F32, F16 or BF16");
      };
    }
    return values;
  }

  private static float half(short bits) {
    int exponent = bits >> 10 & 0x1F;
    float fraction = bits & 0x3FF;
    float size = exponent == 0 ? fraction * 0x1p-24f : (1 + fraction / 1024) * (float) Math.pow(2, exponent - 15);
    return bits < 0 ? -size : size;
  }
}
