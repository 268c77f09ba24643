package dev.fettle.internal.network;

import dev.fettle.internal.model.Layout;
import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * How the numbers of a matrix are stored: as they are, or in 8 or 4 bits with scales.
 *
 * @param levels what codes stand for; {@code null} for numbers as they are
 * @param length the numbers of a row that share a scale; 0 for all of them
 * @param nested whether scales are in 8 bits too
 */
public record WeightForm(Levels levels, int length, boolean nested) {
  /** Numbers as they are. */
  public static final WeightForm DENSE = new WeightForm(null, 0, false);
  /** 8-bit integers with a scale for each row. */
  public static final WeightForm INT8 = new WeightForm(Levels.INT8, 0, false);

  /** The integers from -8 to 7 with a scale for each block of 32. */
  public static final WeightForm INT4 = new WeightForm(Levels.INT4, 32, false);

  /** Scales that share a factor where they are nested. */
  static final int NEST = 256;

  /** Whether numbers are as they are. */
  public boolean isDense() {
    return levels == null;
  }

  /** The same with scales as they are. */
  public WeightForm flat() {
    return new WeightForm(levels, length, false);
  }

  /** Whether it can hold matrices of so many rows each, one below the other. */
  public boolean fits(long inputs, long... rows) {
    boolean even = isDense() || levels == Levels.INT8 || inputs % 2 == 0;
    return even && (!nested || java.util.Arrays.stream(rows).allMatch(n -> n * blocks(inputs) % NEST == 0));
  }

  /** How many scales a row has. */
  long blocks(long inputs) {
    return length == 0 ? 1 : (inputs + length - 1) / length;
  }

  /** The bytes of a matrix or vector. */
  public long bytes(NumberType type, long... shape) {
    if (isDense()) {
      return Arrays.stream(shape).reduce(type.size(), (a, b) -> a * b);
    }
    long rows = shape[0];
    if (levels == Levels.INT8) {
      return rows * (shape[1] + type.size());
    }
    long scales = rows * blocks(shape[1]);
    long ofScales = nested ? scales + 2 * Float.BYTES * (scales / NEST) : scales * Float.BYTES * (levels == Levels.UINT4 ? 2 : 1);
    return rows * shape[1] / 2 + ofScales;
  }

  /** The bytes of a block. */
  public long bytes(NumberType type, Layout.Block block) {
    return bytes(type, block.shape());
  }

  /** A weight of a shape that stands for zeros, to be written to. */
  public Weight zeros(Scope scope, NumberType type, long... shape) {
    if (isDense()) {
      return new Weight.Dense(scope.zeros(type, shape), type);
    }
    long rows = shape[0];
    List<Tensor> tensors = new ArrayList<>();
    if (levels == Levels.INT8) {
      tensors.add(scope.zeros(NumberType.INT8, shape));
      tensors.add(scope.zeros(type, rows));
      return new Weight.Quantised(this, type, shape, tensors);
    }
    long blocks = blocks(shape[1]);
    tensors.add(scope.zeros(NumberType.BYTE, rows, shape[1] / 2));
    tensors.add(scope.zeros(nested ? NumberType.BYTE : NumberType.F32, rows, blocks));
    tensors.add(scope.kernels().viewSlice(scope.floats(levels.pairs()), 0, new long[] {256, 2}));
    if (nested) {
      tensors.add(scope.floats(Levels.ofScales()));
      tensors.add(scope.zeros(NumberType.F32, rows * blocks / NEST));
      tensors.add(scope.zeros(NumberType.F32, rows * blocks / NEST));
    } else if (levels == Levels.UINT4) {
      tensors.add(scope.zeros(NumberType.F32, rows, blocks));
    }
    return new Weight.Quantised(this, type, shape, tensors);
  }

  /** The parts of dense rows in this form, in the order of a weight's tensors but for the tables. */
  Tensor[] parts(Scope scope, NumberType type, Tensor rows) {
    return levels == Levels.INT8 ? scope.kernels().quantiseRows(rows, type)
        : scope.kernels().quantiseBlocks(rows, scope.floats(levels.levels()), length == 0 ? rows.shape()[1] : length);
  }

  @Override
  public String toString() {
    return isDense() ? "dense" : levels.name().toLowerCase(java.util.Locale.ROOT) + (length == 0 ? "" : " in blocks of " + length)
        + (nested ? ", scales in 8 bits" : "");
  }
}
