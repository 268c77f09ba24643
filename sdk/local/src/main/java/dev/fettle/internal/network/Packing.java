package dev.fettle.internal.network;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * Sequences laid one after the other as rows, without padding; equally long ones stand together so that attention takes
 * them in one product.
 *
 * @param starts the first row of each sequence, in the order given; before row 0 where the sequence begins in an earlier part
 * @param ids the tokens of all rows; a token of a text's second segment is its complement
 * @param positions the position of each row within its sequence
 * @param lengths how long the sequence of each row is
 * @param runs how many sequences of which length follow each other, in turn
 */
public record Packing(int[] starts, long[] ids, long[] positions, int[] lengths, long[] runs) {
  /** Packs sequences. */
  public static Packing of(List<int[]> sequences) {
    Integer[] order = new Integer[sequences.size()];
    Arrays.setAll(order, i -> i);
    Arrays.sort(order, Comparator.comparing((Integer i) -> sequences.get(i).length).reversed());
    int rows = sequences.stream().mapToInt(s -> s.length).sum();
    int[] starts = new int[order.length];
    long[] ids = new long[rows];
    long[] positions = new long[rows];
    int[] lengths = new int[rows];
    long[] runs = new long[2 * order.length];
    int used = 0;
    int row = 0;
    for (int o : order) {
      int[] tokens = sequences.get(o);
      starts[o] = row;
      for (int i = 0; i < tokens.length; i++) {
        ids[row + i] = tokens[i];
        positions[row + i] = i;
      }
      Arrays.fill(lengths, row, row + tokens.length, tokens.length);
      row += tokens.length;
      if (used > 0 && runs[used - 1] == tokens.length) {
        runs[used - 2]++;
      } else {
        runs[used++] = 1;
        runs[used++] = tokens.length;
      }
    }
    return new Packing(starts, ids, positions, lengths, Arrays.copyOf(runs, used));
  }

  /** A part of a sequence. */
  public static Packing part(int[] sequence, int from, int to) {
    Packing all = of(List.of(sequence));
    return new Packing(new int[] {-from}, Arrays.copyOfRange(all.ids, from, to), Arrays.copyOfRange(all.positions, from, to),
        Arrays.copyOfRange(all.lengths, from, to), new long[] {1, to - from});
  }

  /** The tokens of all rows, whatever their segments. */
  public long[] tokens() {
    return Arrays.stream(ids).map(id -> id < 0 ? ~id : id).toArray();
  }

  /** The segment of each row; empty where all are of the first. */
  public long[] segments() {
    return Arrays.stream(ids).allMatch(id -> id >= 0) ? new long[0] : Arrays.stream(ids).map(id -> id < 0 ? 1 : 0).toArray();
  }

  /**
   * The row of each token in a table of positions that begins after the row of the padding token, which has no position where
   * a text has it.
   */
  public long[] places(int first) {
    long[] out = new long[ids.length];
    int count = 0;
    for (int i = 0; i < ids.length; i++) {
      count = positions[i] == 0 ? 0 : count;
      out[i] = ids[i] == first - 1 ? first - 1 : first + count++;
    }
    return out;
  }

  /** The number of rows. */
  public int rows() {
    return ids.length;
  }

  /** The length of the longest sequence, also where only a part of it is here. */
  public int longest() {
    return Arrays.stream(lengths).max().orElse(0);
  }
}
