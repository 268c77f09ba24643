package dev.fettle.internal.local;

import dev.fettle.InvalidInputException;
import dev.fettle.UnsupportedModelException;
import dev.fettle.internal.checkpoint.JsonFields;
import dev.fettle.internal.checkpoint.QuantisationScheme;
import dev.fettle.internal.checkpoint.QuantisedTensor;
import dev.fettle.internal.checkpoint.StoredTensor;
import dev.fettle.internal.checkpoint.StoredType;
import dev.fettle.internal.checkpoint.StrictJson;
import dev.fettle.internal.network.Levels;
import dev.fettle.internal.network.Weight;
import dev.fettle.internal.network.WeightForm;
import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import java.nio.ByteBuffer;
import java.util.Arrays;

/** Reads a weight of a checkpoint that is quantised already: into one of our forms that holds the same numbers, or dense. */
final class QuantisedReader {
  /** The largest number in float16: no scale of a weight comes near it. */
  private static final double MOST = 65504;
  private static final int LONGEST_STATE = 1 << 16;
  /** Where the numbers of a 32-bit integer lie in it: in their order (GPTQ), and as AWQ's kernels like them. */
  private static final long[] IN_ORDER = {0, 4, 8, 12, 16, 20, 24, 28};
  private static final long[] INTERLEAVED = {0, 16, 4, 20, 8, 24, 12, 28};

  private final QuantisedTensor weight;
  private final QuantisationScheme scheme;
  private final WeightFiles.Reader reader;
  private final long outputs;
  private final long inputs;

  QuantisedReader(QuantisedTensor weight, QuantisationScheme scheme, WeightFiles.Reader reader) {
    this.weight = weight;
    this.scheme = scheme;
    this.reader = reader;
    this.outputs = weight.shape()[0];
    this.inputs = weight.shape()[1];
  }

  /** Our form that holds the same numbers; dense if there is none. */
  WeightForm form() {
    return switch (weight.kind()) {
      case BNB8 -> WeightForm.INT8;
      case FP8 -> WeightForm.DENSE;
      case BNB4 -> {
        State state = state();
        Levels levels = levels(Levels.NF4) ? Levels.NF4 : levels(Levels.FP4) ? Levels.FP4 : null;
        boolean rows = inputs % state.length == 0 && inputs % 2 == 0;
        yield rows && levels != null ? new WeightForm(levels, state.length, false) : WeightForm.DENSE;
      }
      case GPTQ, AWQ -> isInOrder() && Integer.bitCount(group()) == 1 || groups() == 1
          ? new WeightForm(Levels.UINT4, groups() == 1 ? 0 : group(), false) : WeightForm.DENSE;
    };
  }

  /** Writes it into rows of a weight. */
  void into(Weight target, long row) {
    try (Scope scope = new Scope()) {
      if (target instanceof Weight.Quantised q && q.form().equals(form())) {
        Tensor[] parts = parts(scope);
        q.put(row, outputs, parts[0], parts[1], parts.length > 2 ? parts[2] : null);
      } else {
        Tensor dense = dense(scope);
        if (target instanceof Weight.Quantised q) {
          q.write(row, outputs, (step, from, count) -> step.kernels().rows(dense, from, count));
        } else {
          scope.kernels().copy(target.dense(scope, row, outputs), dense);
        }
      }
    }
  }

  /** Codes, scales and what blocks add, in {@link #form}. */
  private Tensor[] parts(Scope scope) {
    return switch (weight.kind()) {
      case BNB8 -> new Tensor[] {shaped(scope, codes(scope, NumberType.INT8), outputs, inputs), rowScales(scope)};
      case BNB4 -> {
        Tensor scales = blockScales(scope);
        yield new Tensor[] {shaped(scope, codes(scope, NumberType.BYTE), outputs, inputs / 2),
            shaped(scope, scales, outputs, inputs / state().length)};
      }
      case FP8 -> throw new IllegalStateException("fp8 has no form but dense");
      case GPTQ, AWQ -> {
        Tensor[] p = packed(scope);
        yield scope.kernels().packedParts(p[0], p[1], p[2]);
      }
    };
  }

  private Tensor dense(Scope scope) {
    return switch (weight.kind()) {
      case BNB8 -> scope.kernels().scaleRows(scope.kernels().cast(shaped(scope, codes(scope, NumberType.INT8), outputs, inputs),
          NumberType.F32), rowScales(scope));
      case BNB4 -> shaped(scope, scope.kernels().inLongBlocks(codes(scope, NumberType.BYTE),
          part(scope, QuantisedTensor.LEVELS, NumberType.F32), blockScales(scope), state().length, outputs * inputs), outputs, inputs);
      case FP8 -> fp8(scope);
      case GPTQ, AWQ -> {
        Tensor[] p = packed(scope);
        yield scope.kernels().packedDense(p[0], p[1], p[2], scope.longs(order()));
      }
    };
  }

  private Tensor fp8(Scope scope) {
    StoredTensor stored = weight.parts().get(QuantisedTensor.SCALES);
    Tensor scales = finite(scope, part(scope, QuantisedTensor.SCALES, NumberType.F32), stored);
    Tensor codes = shaped(scope, codes(scope, NumberType.F32), outputs, inputs);
    if (!Double.isFinite(scope.kernels().largest(codes))) {
      throw QuantisedTensor.wrong(weight.parts().get(QuantisedTensor.CODES), "holds what is not a number; is the file damaged?");
    }
    boolean single = stored.elements() == 1;
    boolean rows = stored.elements() == outputs && (stored.shape().length == 1 || stored.shape()[1] == 1);
    long columns = single || rows ? inputs : scheme.blockColumns();
    long height = single ? outputs : rows ? 1 : scheme.blockRows();
    return scope.kernels().scaledBlocks(codes, shaped(scope, scales, (outputs + height - 1) / height, (inputs + columns - 1) / columns),
        height, columns);
  }

  /** Of bitsandbytes' 8 bits: the largest magnitude of each row over 127. */
  private Tensor rowScales(Scope scope) {
    StoredTensor format = weight.parts().get(QuantisedTensor.STATE);
    if (format != null && (format.bytes() != 1 || reader.bytes(format, 0, 1).get(0) != 0)) {
      throw new UnsupportedModelException(format.file() + ": tensor " + format.name() + " says that the rows are reordered for a GPU; "
          + "only rows in their order are read");
    }
    Tensor largest = finite(scope, part(scope, QuantisedTensor.SCALES, NumberType.F32), weight.parts().get(QuantisedTensor.SCALES));
    scope.kernels().scaled(largest, largest, 1 / 127.0);
    return largest;
  }

  private Tensor blockScales(Scope scope) {
    State state = state();
    StoredTensor stored = weight.parts().get(QuantisedTensor.SCALES);
    long blocks = (outputs * inputs + state.length - 1) / state.length;
    if (stored.elements() != blocks) {
      throw QuantisedTensor.wrong(stored, "has " + stored.elements() + " scales, and " + Arrays.toString(weight.shape()) + " has " + blocks
          + " blocks of " + state.length);
    }
    StoredTensor nested = weight.parts().get(QuantisedTensor.NESTED);
    if (nested == null) {
      return finite(scope, part(scope, QuantisedTensor.SCALES, NumberType.F32), stored);
    }
    if (nested.elements() != (blocks + state.nestedLength - 1) / state.nestedLength) {
      throw QuantisedTensor.wrong(nested, "has " + nested.elements() + " scales, and " + blocks + " scales are in "
          + (blocks + state.nestedLength - 1) / state.nestedLength + " blocks of " + state.nestedLength);
    }
    Tensor factors = finite(scope, part(scope, QuantisedTensor.NESTED, NumberType.F32), nested);
    Tensor levels = finite(scope, part(scope, QuantisedTensor.NESTED_LEVELS, NumberType.F32),
        weight.parts().get(QuantisedTensor.NESTED_LEVELS));
    return finite(scope, scope.kernels().unnested(part(scope, QuantisedTensor.SCALES, NumberType.BYTE), levels, factors,
        state.nestedLength, state.mean), stored);
  }

  /** Codes [inputs, outputs], zero points and scales [groups, outputs]. */
  private Tensor[] packed(Scope scope) {
    boolean awq = weight.kind() == QuantisedTensor.Kind.AWQ;
    long[] shifts = awq ? INTERLEAVED : IN_ORDER;
    StoredTensor stored = weight.parts().get(QuantisedTensor.CODES);
    Tensor codes = scope.kernels().unpacked(shaped(scope, codes(scope, NumberType.INT32), stored.shape()), shifts, awq);
    Tensor zeros = scope.kernels().cast(scope.kernels().unpacked(
        shaped(scope, part(scope, QuantisedTensor.ZEROS, NumberType.INT32), groups(), outputs / 8), shifts, true), NumberType.F32);
    if (!awq && !scheme.zerosAsTheyAre()) {
      zeros = scope.kernels().plus(zeros, scope.kernels().constant(new long[] {1, 1}, 1, NumberType.F32, scope.device()), 1);
    }
    Tensor scales = finite(scope, part(scope, QuantisedTensor.SCALES, NumberType.F32), weight.parts().get(QuantisedTensor.SCALES));
    return new Tensor[] {codes, zeros, shaped(scope, scales, groups(), outputs)};
  }

  private int group() {
    return (int) (scheme.groupSize() == 0 ? inputs : scheme.groupSize());
  }

  private long groups() {
    return inputs / group();
  }

  private boolean isInOrder() {
    int[] order = order();
    for (int i = 0; i < order.length; i++) {
      if (order[i] != i / group()) {
        return false;
      }
    }
    return true;
  }

  /** The group of each input. */
  private int[] order() {
    int[] out = new int[(int) inputs];
    StoredTensor stored = weight.parts().get(QuantisedTensor.GROUPS);
    ByteBuffer bytes = stored == null ? null : reader.bytes(stored, 0, (int) stored.bytes());
    for (int i = 0; i < out.length; i++) {
      out[i] = bytes == null ? i / group() : bytes.getInt(Integer.BYTES * i);
      if (out[i] < 0 || out[i] >= groups()) {
        throw QuantisedTensor.wrong(stored, "puts input " + i + " into group " + out[i] + " of " + groups());
      }
    }
    return out;
  }

  /** bitsandbytes' settings of a weight. */
  private record State(int length, int nestedLength, double mean) {}

  private State state() {
    StoredTensor stored = weight.parts().get(QuantisedTensor.STATE);
    if (stored.type() != StoredType.U8 || stored.bytes() > LONGEST_STATE) {
      throw QuantisedTensor.wrong(stored, "is no JSON of bitsandbytes");
    }
    JsonFields f = new JsonFields(StrictJson.parse(reader.bytes(stored, 0, (int) stored.bytes()), stored.file() + ": tensor "
        + stored.name()), stored.file() + ": tensor " + stored.name());
    int[] shape = f.integers("shape", 0, Integer.MAX_VALUE).stream().mapToInt(i -> i).toArray();
    if (shape.length != 2 || shape[0] != outputs || shape[1] != inputs) {
      throw f.invalid("shape", "must be " + Arrays.toString(weight.shape()) + ", as config.json asks for");
    }
    double mean = f.number("nested_offset", 0);
    if (!(Math.abs(mean) <= MOST)) {
      throw f.invalid("nested_offset", "is no mean of scales");
    }
    return new State(block(f, "blocksize"), weight.parts().containsKey(QuantisedTensor.NESTED) ? block(f, "nested_blocksize") : 1, mean);
  }

  private static int block(JsonFields f, String key) {
    int length = f.integer(key, 1, 1 << 20);
    if (Integer.bitCount(length) != 1) {
      throw f.invalid(key, "must be a power of two");
    }
    return length;
  }

  private boolean levels(Levels expected) {
    StoredTensor stored = weight.parts().get(QuantisedTensor.LEVELS);
    ByteBuffer bytes = reader.bytes(stored, 0, (int) stored.bytes());
    float[] levels = expected.levels();
    for (int i = 0; i < levels.length; i++) {
      float level = bytes.getFloat(Float.BYTES * i);
      if (!(Math.abs(level) <= MOST)) {
        throw QuantisedTensor.wrong(stored, "holds the level " + level + ": is the file damaged?");
      }
      if (Math.abs(level - levels[i]) > 1e-7) {
        return false;
      }
    }
    return true;
  }

  private Tensor codes(Scope scope, NumberType type) {
    return part(scope, QuantisedTensor.CODES, type);
  }

  /** A part as a vector. */
  private Tensor part(Scope scope, String name, NumberType type) {
    StoredTensor stored = weight.parts().get(name);
    Tensor out = scope.zeros(type, name.equals(QuantisedTensor.CODES) && type == NumberType.BYTE ? stored.bytes() : stored.elements());
    WeightFiles.read(reader, stored, out, 0);
    return out;
  }

  private static Tensor shaped(Scope scope, Tensor flat, long... shape) {
    return scope.kernels().viewSlice(flat, 0, shape);
  }

  private static Tensor finite(Scope scope, Tensor scales, StoredTensor stored) {
    double largest = scope.kernels().largest(scales);
    if (!(largest <= MOST)) {
      throw new InvalidInputException(stored.file() + ": tensor " + stored.name() + " holds the scale " + largest
          + ", which no weight has: is the file damaged?");
    }
    return scales;
  }
}
