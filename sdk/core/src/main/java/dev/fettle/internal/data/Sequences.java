package dev.fettle.internal.data;

import dev.fettle.Datum;
import dev.fettle.FettleException;
import dev.fettle.InvalidInputException;
import dev.fettle.Rendered;
import dev.fettle.Renderer;
import java.util.List;

/** Renders a stream of examples and holds the sequences to a limit. Knows where it is. Not thread-safe. */
final class Sequences {
  /**
   * A sequence to train on.
   *
   * @param skippedBefore how many were left out since the one before
   * @param examples how many examples are used up with this sequence
   * @param sequences how many sequences of the example after those are used up with this one
   */
  record Sequence(Datum datum, boolean cut, int skippedBefore, long examples, int sequences) {}

  private final Cursor cursor;
  private final Lengths lengths;
  private final Renderer renderer;
  private String origin;
  private List<Rendered> rendered = List.of();
  private int used;
  private long examples;
  private long skippedBefore;

  Sequences(Cursor cursor, Lengths lengths, Renderer renderer) {
    this.cursor = cursor;
    this.lengths = lengths;
    this.renderer = renderer;
  }

  /** Passes over the given number of examples without rendering them, and over some sequences of the next. */
  void skip(long count, int sequences) {
    while (examples < count) {
      if (cursor.next() == null) {
        throw new InvalidInputException("the position is after example " + count + ", but there are only " + examples
            + ": the data have changed since it was saved");
      }
      examples++;
    }
    if (sequences > 0) {
      if (!render() || rendered.size() <= sequences) {
        throw new InvalidInputException("the position is within example " + (count + 1)
            + ", which no longer has that many sequences: the data or the renderer have changed since it was saved");
      }
      used = sequences;
    }
  }

  /** The next sequence; {@code null} at the end. */
  Sequence next() {
    while (used < rendered.size() || render()) {
      Rendered whole = rendered.get(used);
      used++;
      boolean last = used == rendered.size();
      List<Rendered> held = lengths.hold(origin, List.of(whole));
      if (!held.isEmpty()) {
        int before = skipped();
        skippedBefore = lengths.skipped();
        return new Sequence(held.get(0).datum(), held.get(0) != whole, before, last ? examples : examples - 1, last ? 0 : used);
      }
    }
    return null;
  }

  /** How many were left out since the last sequence given. */
  int skipped() {
    return (int) (lengths.skipped() - skippedBefore);
  }

  /** How many examples there were and what became of them, for an error message. */
  String summary() {
    return examples + " examples, " + lengths.summary();
  }

  void close() {
    cursor.close();
  }

  private boolean render() {
    Item item = cursor.next();
    used = 0;
    if (item == null) {
      rendered = List.of();
      return false;
    }
    examples++;
    origin = item.origin();
    try {
      rendered = renderer.render(item.example());
    } catch (InvalidInputException e) {
      throw new InvalidInputException(origin + ": " + e.getMessage(), e);
    }
    if (rendered.isEmpty()) {
      throw new FettleException(origin + ": the renderer gave no sequence for " + item.example());
    }
    return true;
  }
}
