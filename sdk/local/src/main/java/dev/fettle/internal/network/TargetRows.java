package dev.fettle.internal.network;

import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * Rows of hidden states, and the tokens that are to be predicted at each.
 *
 * @param rows at least one target is predicted at each
 * @param first where the targets of each row begin in {@code ids}, and at last how many there are
 */
public record TargetRows(int[] rows, int[] first, int[] ids) {
  /** Targets of a piece with the filling; a row alone may have more. */
  private static final int WIDE = 1 << 16;

  /** Rows with one target each. */
  public static TargetRows of(int[] rows, int[] ids) {
    return new TargetRows(rows, IntStream.rangeClosed(0, rows.length).toArray(), ids);
  }

  /** The rows from one on that are computed together, at most so many. */
  Piece piece(int from, int most) {
    int count = 0;
    int width = 0;
    while (count < most && from + count < rows.length) {
      int wider = Math.max(width, first[from + count + 1] - first[from + count]);
      if (count > 0 && (long) wider * (count + 1) > WIDE) {
        break;
      }
      width = wider;
      count++;
    }
    return new Piece(from, count, width);
  }

  /** Rows of a piece, filled up to the targets of the row that has most. */
  final class Piece {
    private final int from;
    private final int count;
    private final int width;

    private Piece(int from, int count, int width) {
      this.from = from;
      this.count = count;
      this.width = width;
    }

    int count() {
      return count;
    }

    /** The place of the first of its targets among all. */
    int first() {
      return first[from];
    }

    int[] targets() {
      int[] out = new int[count * width];
      for (int i = 0; i < count; i++) {
        System.arraycopy(ids, first[from + i], out, i * width, length(i));
      }
      return out;
    }

    /** Values of the targets, without those of the filling. */
    float[] values(float[] filled) {
      float[] out = new float[first[from + count] - first()];
      for (int i = 0; i < count; i++) {
        System.arraycopy(filled, i * width, out, first[from + i] - first(), length(i));
      }
      return out;
    }

    /** The same with 0 for the filling. */
    float[] filled(float[] values) {
      float[] out = new float[count * width];
      for (int i = 0; i < count; i++) {
        System.arraycopy(values, first[from + i] - first(), out, i * width, length(i));
      }
      return out;
    }

    private int length(int row) {
      return first[from + row + 1] - first[from + row];
    }
  }

  @Override
  public String toString() {
    return "TargetRows[" + Arrays.toString(rows) + ", " + ids.length + " targets]";
  }
}
