package dev.fettle.internal.gguf;

import java.util.List;

/**
 * A tensor as llama.cpp has it, and which rows of which weights it consists of.
 *
 * @param shape the innermost dimension last
 * @param parts one below the other
 * @param columnOrder in which its columns stand
 * @param change what is stored in the place of the model's numbers
 */
public record GgufWeight(String name, long[] shape, List<Part> parts, GgufOrder columnOrder, Change change) {
  /**
   * Rows of a weight.
   *
   * @param weight its name in Hugging Face checkpoints
   * @param from the first row, or number of a vector
   * @param order in which they stand in the file
   */
  public record Part(String weight, long from, long rows, GgufOrder order) {}

  /** What is stored in the place of a number. */
  public enum Change {
    NONE,
    /** One more: llama.cpp's norm multiplies with what is stored where the model's multiplies with one more. */
    PLUS_ONE,
    /** Of the logarithm of a rate, the rate with a minus. */
    DECAY;

    /** What is stored for a number. */
    public float toFile(float number) {
      return this == PLUS_ONE ? number + 1 : this == DECAY ? (float) -Math.exp(number) : number;
    }

    /** The number that something is stored for; NaN where there is none. */
    public float toModel(float stored) {
      return this == PLUS_ONE ? stored - 1 : this == DECAY ? (float) Math.log(-stored) : stored;
    }
  }

  /** One whose numbers are the model's, in its order. */
  static GgufWeight plain(String name, long[] shape, List<Part> parts) {
    return new GgufWeight(name, shape, parts, GgufOrder.SAME, Change.NONE);
  }

  /** One of the two matrices that an adapter of it has in its place. */
  public GgufWeight half(List<Part> itsParts, GgufOrder itsColumns, long... itsShape) {
    return new GgufWeight(name, itsShape, itsParts, itsColumns, Change.NONE);
  }

  /** Whether it is a vector, which is stored in full precision. */
  public boolean isVector() {
    return shape.length == 1;
  }

  /** The numbers of a row; 1 for a vector, whose rows are its numbers. */
  public long columns() {
    return isVector() ? 1 : shape[shape.length - 1];
  }

  /** The type that it is stored in where matrices are to be of a type. */
  public GgmlType type(GgmlType wanted) {
    if (isVector() || name.contains(GgufNames.ROUTER) || name.contains(GgufNames.CONVOLUTION)) {
      return GgmlType.F32;
    }
    return columns() % wanted.block() == 0 ? wanted : GgmlType.F16;
  }
}
