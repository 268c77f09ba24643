package dev.fettle;

import dev.fettle.internal.NoNulls;
import java.util.List;

/**
 * Some data that go through the model together. Immutable.
 *
 * @param data the sequences, in order; lengths may differ
 * @param cut how many of them were cut at the length limit
 * @param skipped how many sequences were left out, since the batch before, because they were too long or had no trained
 *     token; the last batch also counts those after it
 */
public record Batch(List<Datum> data, int cut, int skipped) {
  public Batch {
    data = List.copyOf(NoNulls.in(data, "data"));
    if (data.isEmpty()) {
      throw new InvalidInputException("an empty batch: give at least one datum");
    }
  }

  /** A batch of the given data. */
  public static Batch of(Datum... data) {
    return new Batch(List.of(NoNulls.in(data, "data")), 0, 0);
  }

  /** A batch of the given data. */
  public static Batch of(List<Datum> data) {
    return new Batch(data, 0, 0);
  }

  /** The number of sequences. */
  public int size() {
    return data.size();
  }

  /** The number of positions over all sequences. */
  public int tokens() {
    return data.stream().mapToInt(Datum::length).sum();
  }

  @Override
  public String toString() {
    return "Batch[" + size() + " sequences, " + tokens() + " tokens]";
  }
}
