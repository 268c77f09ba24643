package dev.fettle.internal.text;

import dev.fettle.InvalidInputException;
import dev.fettle.Tokenizer;
import java.util.Arrays;

/**
 * The tokens that an encoder's tokenizer puts around each text, such as {@code [CLS]} and {@code [SEP]}.
 *
 * @param before those before it
 * @param after those after it
 */
public record TextFrame(int[] before, int[] after) {
  /** What a tokenizer's post-processor does with a single text; nothing where there is no tokenizer. */
  public static TextFrame of(Tokenizer tokenizer) {
    return tokenizer instanceof HfTokenizer hf ? hf.frame() : new TextFrame(new int[0], new int[0]);
  }

  /** The frame by which a text has come to have more tokens. */
  static TextFrame between(int[] plain, int[] framed) {
    int at = 0;
    while (at < framed.length && (framed[at] != plain[0] || at + plain.length > framed.length)) {
      at++;
    }
    return new TextFrame(Arrays.copyOf(framed, at), Arrays.copyOfRange(framed, at + plain.length, framed.length));
  }

  /**
   * The tokens of a text in its frame, its end cut off where all would be more than {@code most}.
   *
   * @throws InvalidInputException if the frame alone is longer
   */
  public int[] put(int[] text, int most) {
    int room = most - before.length - after.length;
    if (room < 0 || before.length + after.length + text.length == 0) {
      throw new InvalidInputException(room < 0 ? most + " tokens at most do not hold the " + (before.length + after.length)
          + " that stand around each text" : "an empty text has no tokens and so no vector");
    }
    int kept = Math.min(text.length, room);
    int[] out = Arrays.copyOf(before, before.length + kept + after.length);
    System.arraycopy(text, 0, out, before.length, kept);
    System.arraycopy(after, 0, out, before.length + kept, after.length);
    return out;
  }
}
