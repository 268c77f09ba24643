package dev.fettle;

import java.util.Objects;
import java.util.OptionalInt;

/**
 * What {@link Batches#check(String)} found by reading everything once. Immutable.
 *
 * @param batches how many there are, over all epochs
 * @param sequences how many there are; of epochs that hold the same examples, in one
 * @param maxLength the most tokens that a sequence may have, if there is a limit
 * @param cut of the sequences, how many were cut, as they were longer
 * @param skipped how many more were left out, as they were too long or nothing in them is trained
 * @param sha256 of all tokens and weights in order, in hexadecimal digits
 */
public record DataSummary(long batches, long sequences, OptionalInt maxLength, long cut, long skipped, String sha256) {
  public DataSummary {
    Objects.requireNonNull(maxLength, "maxLength");
    Objects.requireNonNull(sha256, "sha256");
  }

  @Override
  public String toString() {
    return "DataSummary[" + batches + " batches, " + sequences + " sequences, " + cut + " cut, " + skipped + " skipped]";
  }
}
