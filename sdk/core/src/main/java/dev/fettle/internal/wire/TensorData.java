package dev.fettle.internal.wire;

import java.util.Arrays;
import tools.jackson.databind.annotation.JsonDeserialize;
import tools.jackson.databind.annotation.JsonSerialize;

/**
 * Numbers in row-major order: either {@code floats} or {@code ints} is there. The dtype is {@code float32} or
 * {@code int64}; a shape that is absent means one dimension.
 */
@JsonSerialize(using = TensorJson.Writer.class)
@JsonDeserialize(using = TensorJson.Reader.class)
public record TensorData(long[] shape, float[] floats, long[] ints) {
  static final String FLOAT = "float32";
  static final String INT = "int64";

  /** A row of floats. */
  public static TensorData of(float[] values) {
    return new TensorData(new long[] {values.length}, values, null);
  }

  /** A row of whole numbers. */
  public static TensorData of(int[] values) {
    return new TensorData(new long[] {values.length}, null, Arrays.stream(values).asLongStream().toArray());
  }

  public String dtype() {
    return floats != null ? FLOAT : INT;
  }

  public int size() {
    return floats != null ? floats.length : ints.length;
  }

  /** Whether it is one row: no shape, or one dimension. */
  public boolean isRow() {
    return shape == null || shape.length == 1;
  }

  /** The values as floats. */
  public float[] asFloats() {
    if (floats != null) {
      return floats;
    }
    float[] out = new float[ints.length];
    for (int i = 0; i < out.length; i++) {
      out[i] = ints[i];
    }
    return out;
  }

  /**
   * The values as token ids.
   *
   * @throws WireException if one is not a whole number that fits
   */
  public int[] asInts() {
    int[] out = new int[size()];
    for (int i = 0; i < out.length; i++) {
      double value = floats != null ? floats[i] : ints[i];
      out[i] = (int) value;
      if (out[i] != value) {
        throw new WireException("value " + i + " is " + value + ", not a token id");
      }
    }
    return out;
  }

  /** Spreads the values of a compressed sparse matrix out. */
  static TensorData dense(TensorData values, long[] rows, long[] columns, long[] shape) {
    if (shape == null || shape.length != 2 || shape[0] < 0 || shape[1] < 0 || shape[0] > Integer.MAX_VALUE / 8
        || shape[0] * shape[1] > Integer.MAX_VALUE / 8 || rows.length != shape[0] + 1
        || columns.length != values.size()) {
      throw new WireException("a sparse tensor's indices do not fit its shape " + Arrays.toString(shape));
    }
    int size = (int) (shape[0] * shape[1]);
    TensorData out = values.floats != null ? new TensorData(shape, new float[size], null)
        : new TensorData(shape, null, new long[size]);
    for (int row = 0; row < shape[0]; row++) {
      if (rows[row] < 0 || rows[row + 1] < rows[row] || rows[row + 1] > values.size()) {
        throw new WireException("a sparse tensor's row " + row + " ends at " + rows[row + 1]);
      }
      for (int i = (int) rows[row]; i < rows[row + 1]; i++) {
        if (columns[i] < 0 || columns[i] >= shape[1]) {
          throw new WireException("a sparse tensor has column " + columns[i] + " of " + shape[1]);
        }
        int at = (int) (row * shape[1] + columns[i]);
        if (values.floats != null) {
          out.floats[at] = values.floats[i];
        } else {
          out.ints[at] = values.ints[i];
        }
      }
    }
    return out;
  }

  @Override
  public String toString() {
    return "TensorData[" + size() + " " + dtype() + "]";
  }
}
