package dev.fettle.internal.local;

import dev.fettle.internal.gguf.GgufWeight;
import dev.fettle.internal.gguf.GgufWriter;
import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Tensor;
import java.io.IOException;
import java.nio.FloatBuffer;

/** Moves rows from native memory into a GGUF, in its order. */
final class GgufRows {
  /** Numbers that are held at once, more where one group of rows has more. */
  private static final long AT_ONCE = 1 << 22;

  private GgufRows() {}

  /** Writes the rows of a weight that are a part of a tensor. */
  static void write(GgufWeight weight, GgufWeight.Part part, Tensor values, GgufWriter.Sink sink) throws IOException {
    long columns = weight.columns();
    long groups = Math.max(1, AT_ONCE / columns / weight.group());
    long rows = Math.min(part.rows(), groups * weight.group());
    float[] numbers = new float[Math.toIntExact(rows * columns)];
    for (long row = 0; row < part.rows(); row += rows) {
      int count = (int) (Math.min(rows, part.rows() - row) * columns);
      FloatBuffer into = FloatBuffer.wrap(numbers, 0, count);
      WeightFiles.write(values, (part.from() + row) * columns, count, NumberType.F32, bytes -> into.put(bytes.asFloatBuffer()));
      sink.put(ordered(weight, numbers, count), count);
    }
  }

  private static float[] ordered(GgufWeight weight, float[] numbers, int count) {
    if (weight.plusOne()) {
      for (int i = 0; i < count; i++) {
        numbers[i] += 1;
      }
    }
    if (weight.heads() == 0) {
      return numbers;
    }
    int columns = (int) weight.columns();
    int group = (int) weight.group();
    float[] out = new float[count];
    for (int row = 0; row < count / columns; row++) {
      int from = row / group * group + weight.rowWithin(row % group);
      System.arraycopy(numbers, from * columns, out, row * columns, columns);
    }
    return out;
  }
}
