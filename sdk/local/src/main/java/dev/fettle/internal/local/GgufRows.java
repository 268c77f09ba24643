package dev.fettle.internal.local;

import dev.fettle.InvalidInputException;
import dev.fettle.internal.checkpoint.Mapped;
import dev.fettle.internal.gguf.GgufFile;
import dev.fettle.internal.gguf.GgufTensor;
import dev.fettle.internal.gguf.GgufWeight;
import dev.fettle.internal.gguf.GgufWeight.Change;
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
    long rows = atOnce(part, columns);
    float[] numbers = new float[Math.toIntExact(rows * columns)];
    for (long row = 0; row < part.rows(); row += rows) {
      int count = (int) (Math.min(rows, part.rows() - row) * columns);
      FloatBuffer into = FloatBuffer.wrap(numbers, 0, count);
      WeightFiles.write(values, (part.from() + row) * columns, count, NumberType.F32, bytes -> into.put(bytes.asFloatBuffer()));
      sink.put(toFile(weight, part, numbers, count), count);
    }
  }

  private static long atOnce(GgufWeight.Part part, long columns) {
    int group = part.order().group();
    return Math.min(part.rows(), Math.max(1, AT_ONCE / columns / group) * group);
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
    long rows = weight.isVector() ? part.rows() : atOnce(part, perRow);
    for (long row = 0; row < part.rows(); row += rows) {
      long count = Math.min(rows, part.rows() - row);
      float[] numbers = weight.isVector() ? file.numbers(tensor, 0, 1) : file.numbers(tensor, first + row, (int) count);
      store(toModel(file, weight, part, numbers), into, at + row * perRow);
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

  private static float[] toFile(GgufWeight weight, GgufWeight.Part part, float[] numbers, int count) {
    for (int i = 0; i < count && weight.change() != Change.NONE; i++) {
      numbers[i] = weight.change().toFile(numbers[i]);
    }
    return weight.columnOrder().toFile(part.order().toFile(numbers, count, (int) weight.columns()), count, 1);
  }

  private static float[] toModel(GgufFile file, GgufWeight weight, GgufWeight.Part part, float[] numbers) {
    for (int i = 0; i < numbers.length && weight.change() != Change.NONE; i++) {
      float number = weight.change().toModel(numbers[i]);
      if (!Float.isFinite(number)) {
        throw new InvalidInputException(file.path() + ": tensor " + weight.name() + " holds " + numbers[i] + "; it must be "
            + (weight.change() == Change.DECAY ? "a number below 0" : "a number"));
      }
      numbers[i] = number;
    }
    return part.order().toModel(weight.columnOrder().toModel(numbers, numbers.length, 1), numbers.length, (int) weight.columns());
  }
}
