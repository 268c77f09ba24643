package dev.fettle.internal.text;

import dev.fettle.InvalidInputException;
import dev.fettle.Tokenizer;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * The tokens that a tokenizer puts around two texts that are read together. A token of the second segment is its complement.
 *
 * @param before those before the first text
 * @param between those between the two
 * @param after those after the second
 * @param firstKind the segment of the first text, 0 or 1
 * @param secondKind that of the second
 */
public record PairFrame(int[] before, int[] between, int[] after, int firstKind, int secondKind) {
  /** What a tokenizer's post-processor does with two texts; nothing where there is no tokenizer. */
  public static PairFrame of(Tokenizer tokenizer) {
    int[] none = new int[0];
    return tokenizer instanceof HfTokenizer hf ? hf.pairFrame() : new PairFrame(none, none, none, 0, 0);
  }

  /** The frame by which the tokens of two texts have come to be more. */
  static PairFrame between(int[] first, int[] second, int[] framed, int[] kinds) {
    int a = find(framed, first, 0);
    int b = find(framed, second, a + first.length);
    int[] marked = IntStream.range(0, framed.length).map(i -> kinds[i] == 1 ? ~framed[i] : framed[i]).toArray();
    return new PairFrame(Arrays.copyOf(marked, a), Arrays.copyOfRange(marked, a + first.length, b),
        Arrays.copyOfRange(marked, b + second.length, marked.length), kinds[a], kinds[b]);
  }

  private static int find(int[] all, int[] part, int from) {
    int at = from;
    while (at + part.length < all.length && !Arrays.equals(all, at, at + part.length, part, 0, part.length)) {
      at++;
    }
    return at;
  }

  /** The same where all is of the first segment. */
  public PairFrame ofOneSegment() {
    return new PairFrame(plain(before), plain(between), plain(after), 0, 0);
  }

  private static int[] plain(int[] tokens) {
    return Arrays.stream(tokens).map(t -> t < 0 ? ~t : t).toArray();
  }

  /**
   * The tokens of two texts in their frame; where all would be more than {@code most}, the longer text is cut at its end, and
   * the other too where that is not enough.
   *
   * @throws InvalidInputException if the frame alone is longer
   */
  public int[] put(int[] first, int[] second, int most) {
    int room = most - before.length - between.length - after.length;
    if (room < 2) {
      throw new InvalidInputException(most + " tokens at most do not hold two texts and the "
          + (before.length + between.length + after.length) + " tokens that stand around them");
    }
    int shorter = Math.min(first.length, second.length);
    int longer = Math.max(first.length, second.length);
    if (shorter + longer > room) {
      longer = shorter > room ? shorter : Math.max(shorter, room - shorter);
      if (shorter + longer > room) {
        shorter = room / 2;
        longer = room - shorter;
      }
    }
    boolean swapped = first.length > second.length;
    IntStream a = Arrays.stream(first).limit(swapped ? longer : shorter).map(t -> firstKind == 1 ? ~t : t);
    IntStream b = Arrays.stream(second).limit(swapped ? shorter : longer).map(t -> secondKind == 1 ? ~t : t);
    return IntStream.concat(IntStream.concat(Arrays.stream(before), a),
        IntStream.concat(IntStream.concat(Arrays.stream(between), b), Arrays.stream(after))).toArray();
  }
}
