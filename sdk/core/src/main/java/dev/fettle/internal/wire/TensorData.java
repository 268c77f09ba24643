package dev.fettle.internal.wire;

import dev.fettle.internal.json.JsonForm;
import dev.fettle.internal.json.JsonNode;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * Numbers in row-major order: either {@code floats} or {@code ints} is there. The dtype is {@code float32} or
 * {@code int64}; a shape that is absent means one dimension.
 *
 * @param sparse where the values are in a matrix whose others are 0; null where all are there
 */
public record TensorData(long[] shape, float[] floats, long[] ints, Sparse sparse) implements JsonForm {
  /** Compressed rows: the values of row i are those from {@code rows[i]} to {@code rows[i + 1]}, each in a column. */
  public record Sparse(long[] rows, long[] columns) {
    /** Of places in row-major order, ascending. */
    private static Sparse at(long[] shape, int[] places) {
      long[] rows = new long[(int) shape[0] + 1];
      for (int place : places) {
        rows[(int) (place / shape[1]) + 1]++;
      }
      Arrays.parallelPrefix(rows, Long::sum);
      return new Sparse(rows, IntStream.of(places).mapToLong(place -> place % shape[1]).toArray());
    }
  }

  static final String FLOAT = "float32";
  static final String INT = "int64";

  /** All values. */
  public TensorData(long[] shape, float[] floats, long[] ints) {
    this(shape, floats, ints, null);
  }

  /** A row of floats. */
  public static TensorData of(float[] values) {
    return new TensorData(new long[] {values.length}, values, null);
  }

  /** A row of whole numbers. */
  public static TensorData of(int[] values) {
    return new TensorData(new long[] {values.length}, null, Arrays.stream(values).asLongStream().toArray());
  }

  /** A matrix of floats with so many columns, sparse where that is smaller, as Python's clients send it. */
  public static TensorData matrix(int columns, float[] values) {
    int[] places = IntStream.range(0, values.length).filter(i -> values[i] != 0).toArray();
    long[] shape = {values.length / columns, columns};
    if (!sparser(shape, places)) {
      return new TensorData(shape, values, null);
    }
    float[] stored = new float[places.length];
    for (int i = 0; i < stored.length; i++) {
      stored[i] = values[places[i]];
    }
    return new TensorData(shape, stored, null, Sparse.at(shape, places));
  }

  /** A matrix of whole numbers with so many columns, sparse where that is smaller. */
  public static TensorData matrix(int columns, int[] values) {
    int[] places = IntStream.range(0, values.length).filter(i -> values[i] != 0).toArray();
    long[] shape = {values.length / columns, columns};
    return sparser(shape, places)
        ? new TensorData(shape, null, IntStream.of(places).mapToLong(i -> values[i]).toArray(), Sparse.at(shape, places))
        : new TensorData(shape, null, IntStream.of(values).asLongStream().toArray());
  }

  private static boolean sparser(long[] shape, int[] places) {
    return shape[0] + 1 + 2L * places.length < shape[0] * shape[1];
  }

  /** Of its JSON, in which a float that is not finite is null. */
  public static TensorData of(JsonNode json) {
    return TensorJson.read(json);
  }

  @Override
  public Object json() {
    return TensorJson.write(this);
  }

  public String dtype() {
    return floats != null ? FLOAT : INT;
  }

  /** How many values there are, those included that a sparse one leaves out. */
  public long size() {
    return sparse != null ? shape[0] * shape[1] : stored();
  }

  /** What the values and indices take. */
  public long bytes() {
    return (long) stored() * (floats != null ? 4 : 8)
        + (sparse == null ? 0 : 8L * (sparse.rows.length + sparse.columns.length));
  }

  private int stored() {
    return floats != null ? floats.length : ints.length;
  }

  /** Whether it is one row: no shape, or one dimension. */
  public boolean isRow() {
    return shape == null || shape.length == 1;
  }

  /** The values as floats. */
  public float[] asFloats() {
    if (sparse != null) {
      return dense().asFloats();
    }
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
    if (sparse != null) {
      return dense().asInts();
    }
    int[] out = new int[stored()];
    for (int i = 0; i < out.length; i++) {
      double value = floats != null ? floats[i] : ints[i];
      out[i] = (int) value;
      if (out[i] != value) {
        throw new WireException("value " + i + " is " + value + ", not a token id");
      }
    }
    return out;
  }

  /** A sparse matrix, checked. */
  public static TensorData sparse(TensorData values, long[] rows, long[] columns, long[] shape) {
    if (shape == null || shape.length != 2 || shape[0] < 0 || shape[1] < 0 || shape[0] > Integer.MAX_VALUE / 8
        || shape[0] * shape[1] > Integer.MAX_VALUE / 8 || columns == null || rows.length != shape[0] + 1
        || columns.length != values.stored()) {
      throw new WireException("a sparse tensor's indices do not fit its shape " + Arrays.toString(shape));
    }
    for (int row = 0; row < shape[0]; row++) {
      if (rows[row] < 0 || rows[row + 1] < rows[row] || rows[row + 1] > values.stored()) {
        throw new WireException("a sparse tensor's row " + row + " ends at " + rows[row + 1]);
      }
    }
    for (long column : columns) {
      if (column < 0 || column >= shape[1]) {
        throw new WireException("a sparse tensor has column " + column + " of " + shape[1]);
      }
    }
    return new TensorData(shape, values.floats, values.ints, new Sparse(rows, columns));
  }

  /** The same with all values, which may be far more. */
  public TensorData dense() {
    if (sparse == null) {
      return this;
    }
    int size = (int) size();
    TensorData out = floats != null ? new TensorData(shape, new float[size], null)
        : new TensorData(shape, null, new long[size]);
    for (int row = 0; row < shape[0]; row++) {
      for (int i = (int) sparse.rows[row]; i < sparse.rows[row + 1]; i++) {
        int at = (int) (row * shape[1] + sparse.columns[i]);
        if (floats != null) {
          out.floats[at] = floats[i];
        } else {
          out.ints[at] = ints[i];
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
