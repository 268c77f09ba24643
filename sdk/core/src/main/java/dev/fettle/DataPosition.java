package dev.fettle;

import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How far a training has come in its data: store its text in a checkpoint, and give it to
 * {@link Batches#from(DataPosition)} to resume. Immutable.
 *
 * @param batches how many batches were given
 * @param examples how many examples were used up
 * @param sequences how many sequences of the next example were used up, where an example has several
 * @param fingerprint 16 hexadecimal digits that stand for the data's description: file names and sizes, seeds, weights,
 *     epochs, length limit, batch size
 */
public record DataPosition(long batches, long examples, int sequences, String fingerprint) {
  private static final Pattern FORM = Pattern.compile("(\\d{1,18})/(\\d{1,18})/(\\d{1,9})/([0-9a-f]{16})");

  public DataPosition {
    Objects.requireNonNull(fingerprint, "fingerprint");
    if (batches < 0 || examples < 0 || sequences < 0 || !fingerprint.matches("[0-9a-f]{16}")) {
      throw new InvalidInputException("not a data position: " + batches + "/" + examples + "/" + sequences + "/"
          + fingerprint);
    }
  }

  /**
   * The position whose {@link #toString()} this is.
   *
   * @throws InvalidInputException if it is not the text of a position
   */
  public static DataPosition parse(String text) {
    Objects.requireNonNull(text, "text");
    Matcher matcher = FORM.matcher(text);
    if (!matcher.matches()) {
      throw new InvalidInputException("\"" + text + "\" is not a data position: expected batches/examples/sequences/"
          + "fingerprint, as DataPosition.toString() writes it");
    }
    return new DataPosition(Long.parseLong(matcher.group(1)), Long.parseLong(matcher.group(2)),
        Integer.parseInt(matcher.group(3)), matcher.group(4));
  }

  /** The text that {@link #parse(String)} reads, of at most 71 characters. */
  @Override
  public String toString() {
    return batches + "/" + examples + "/" + sequences + "/" + fingerprint;
  }
}
