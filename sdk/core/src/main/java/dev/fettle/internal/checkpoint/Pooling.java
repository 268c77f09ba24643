package dev.fettle.internal.checkpoint;

/**
 * How the rows of a text become its vector.
 *
 * @param first the row of the first token, {@code [CLS]}, rather than the mean of all rows
 * @param normalised whether the vector is scaled to length 1
 * @param withPrompt whether the rows of a prompt before the text count as rows of the text
 */
public record Pooling(boolean first, boolean normalised, boolean withPrompt) {
  /** What an encoder is used with whose directory does not say: the mean, of length 1. */
  public static final Pooling STANDARD = new Pooling(false, true, true);
}
