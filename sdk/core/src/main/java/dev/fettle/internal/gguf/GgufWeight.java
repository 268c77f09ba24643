package dev.fettle.internal.gguf;

import java.util.List;

/**
 * A tensor as llama.cpp has it, and which rows of which weights it consists of.
 *
 * @param shape the innermost dimension last
 * @param parts one below the other
 * @param heads of each of them the rows are in another order: within each of so many heads, the two halves in turn; 0 for none
 * @param plusOne whether llama.cpp's norm multiplies with what is stored where the model's multiplies with one more
 */
public record GgufWeight(String name, long[] shape, List<Part> parts, int heads, boolean plusOne) {
  /**
   * Rows of a weight.
   *
   * @param weight its name in Hugging Face checkpoints
   * @param from the first row, or number of a vector
   */
  public record Part(String weight, long from, long rows) {}

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
    if (isVector() || name.contains(GgufNames.ROUTER)) {
      return GgmlType.F32;
    }
    return columns() % wanted.block() == 0 ? wanted : GgmlType.F16;
  }

  /** The rows that must be moved together: those of a head. */
  public long group() {
    return heads == 0 ? 1 : parts.get(0).rows / heads;
  }

  /**
   * Which row of the weight stands at a row of the tensor, within a group of rows. llama.cpp turns neighbouring numbers as a
   * pair where transformers turns a number of the first half with one of the second.
   */
  public int rowWithin(int row) {
    return heads == 0 ? row : (int) (row % 2 * (group() / 2) + row / 2);
  }
}
