package dev.fettle.internal.gguf;

/**
 * Another order of rows or columns than the model's: those of a group, which the model has as [outer, inner, unit], stand in a file
 * as [inner, outer, unit].
 *
 * @param unit so many that stand together in both
 */
public record GgufOrder(int outer, int inner, int unit) {
  /** The model's. */
  public static final GgufOrder SAME = new GgufOrder(1, 1, 1);

  /**
   * Each head's two halves in turn: some of llama.cpp's code turns neighbouring numbers as a pair where transformers turns a
   * number of the first half with one of the second.
   */
  static GgufOrder halves(int headDim) {
    return new GgufOrder(2, headDim / 2, 1);
  }

  /** Of so many heads of values to each head of keys, the first of each, then the second of each. */
  static GgufOrder byKeyHeads(int keyHeads, int each, int valueDim) {
    return new GgufOrder(keyHeads, each, valueDim);
  }

  /** Whether it is the model's. */
  public boolean isSame() {
    return outer == 1 || inner == 1;
  }

  /** How many must be moved together. */
  public int group() {
    return isSame() ? 1 : outer * inner * unit;
  }

  /** Which of a group the model has at the place of one of the file's. */
  int original(int at) {
    int units = at / unit;
    return (units % outer * inner + units / outer) * unit + at % unit;
  }

  /**
   * Whole groups in the file's order.
   *
   * @param width numbers of a row, 1 to move columns
   */
  public float[] toFile(float[] numbers, int count, int width) {
    return moved(numbers, count, width, true);
  }

  /** Whole groups in the model's order. */
  public float[] toModel(float[] numbers, int count, int width) {
    return moved(numbers, count, width, false);
  }

  private float[] moved(float[] numbers, int count, int width, boolean out) {
    if (isSame()) {
      return numbers;
    }
    float[] moved = new float[count];
    for (int at = 0; at < count / width; at++) {
      int original = at / group() * group() + original(at % group());
      System.arraycopy(numbers, (out ? original : at) * width, moved, (out ? at : original) * width, width);
    }
    return moved;
  }
}
