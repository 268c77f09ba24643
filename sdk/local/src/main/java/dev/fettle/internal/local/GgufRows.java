package dev.fettle.internal.local;

import dev.fettle.internal.checkpoint.Mapped;
import dev.fettle.internal.gguf.GgufFile;
import dev.fettle.internal.gguf.GgufTensor;
import dev.fettle.internal.gguf.GgufWeight;
import dev.fettle.internal.gguf.GgufWriter;
import dev.fettle.internal.model.Layout;
import dev.fettle.internal.network.Weight;
import dev.fettle.internal.network.Weights;
import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;

/** Moves rows between native memory and a GGUF, each in its order. */
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

  /** Reads a tensor into the weights that it consists of. */
  static void read(GgufFile file, GgufTensor tensor, GgufWeight weight, Weights into) {
    long perRow = weight.isVector() ? 1 : tensor.columns();
    long first = 0;
    for (GgufWeight.Part part : weight.parts()) {
      Layout.Weight place = into.layout().weights().get(part.weight());
      if (place == null) {
        // The input embedding a second time, as an output embedding that the model has none of.
        return;
      }
      try (Scope scope = new Scope()) {
        if (into.weight(place.block()) instanceof Weight.Quantised q) {
          Tensor dense = scope.zeros(NumberType.F32, part.rows(), perRow);
          read(file, tensor, weight, part, first, dense, 0);
          q.write(place.offset() / perRow + part.from(), part.rows(), (step, from, count) -> step.kernels().rows(dense, from, count));
        } else {
          read(file, tensor, weight, part, first, into.weight(place.block()).dense(scope), place.offset() + part.from() * perRow);
        }
      }
      first += part.rows();
    }
  }

  /** Reads the rows of a part, which begin at a row of the tensor, into numbers from a place on. */
  private static void read(GgufFile file, GgufTensor tensor, GgufWeight weight, GgufWeight.Part part, long first, Tensor into, long at) {
    long perRow = weight.isVector() ? 1 : tensor.columns();
    long rows = weight.isVector() ? part.rows()
        : Math.min(part.rows(), Math.max(1, AT_ONCE / perRow / weight.group()) * weight.group());
    for (long row = 0; row < part.rows(); row += rows) {
      long count = Math.min(rows, part.rows() - row);
      float[] numbers = weight.isVector() ? file.numbers(tensor, 0, 1) : file.numbers(tensor, first + row, (int) count);
      store(original(weight, numbers), into, at + row * perRow);
    }
  }

  private static void store(float[] numbers, Tensor into, long at) {
    ByteBuffer bytes = ByteBuffer.allocateDirect(numbers.length * Float.BYTES).order(ByteOrder.nativeOrder());
    bytes.asFloatBuffer().put(numbers);
    try (Scope scope = new Scope()) {
      scope.store(bytes, NumberType.F32, into, at);
    }
    Mapped.release(bytes);
  }

  private static float[] ordered(GgufWeight weight, float[] numbers, int count) {
    add(numbers, weight.plusOne() ? 1 : 0);
    return moved(weight, numbers, count, true);
  }

  private static float[] original(GgufWeight weight, float[] numbers) {
    add(numbers, weight.plusOne() ? -1 : 0);
    return moved(weight, numbers, numbers.length, false);
  }

  private static void add(float[] numbers, int what) {
    for (int i = 0; what != 0 && i < numbers.length; i++) {
      numbers[i] += what;
    }
  }

  /** The same rows in the file's order, or back in the model's. */
  private static float[] moved(GgufWeight weight, float[] numbers, int count, boolean out) {
    if (weight.heads() == 0) {
      return numbers;
    }
    int columns = (int) weight.columns();
    int group = (int) weight.group();
    float[] moved = new float[count];
    for (int row = 0; row < count / columns; row++) {
      int original = row / group * group + weight.rowWithin(row % group);
      System.arraycopy(numbers, (out ? original : row) * columns, moved, (out ? row : original) * columns, columns);
    }
    return moved;
  }
}
