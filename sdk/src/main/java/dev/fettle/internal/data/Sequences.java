package dev.fettle.internal.data;

import dev.fettle.Datum;
import dev.fettle.FettleException;
import dev.fettle.InvalidInputException;
import dev.fettle.Rendered;
import dev.fettle.Renderer;
import java.util.List;

/** Renders a stream of examples and holds the sequences to the limit. Knows where it is. Not thread-safe. */
final class Sequences {
  /**
   * A sequence to train on.
   *
   * @param refusedBefore how many were left out since the one before
   * @param examples how many examples are used up with this sequence
   * @param sequences how many sequences of the example after those are used up with this one
   */
  record Sequence(Datum datum, boolean truncated, int refusedBefore, long examples, int sequences) {}

  private final Cursor cursor;
  private final Limit limit;
  private final Renderer renderer;
  private List<Rendered> rendered = List.of();
  private int used;
  private long examples;
  private int refused;
  private long tooLong;
  private long untrained;

  Sequences(Cursor cursor, Limit limit, Renderer renderer) {
    this.cursor = cursor;
    this.limit = limit;
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
      Rendered cut = limit.cut(whole);
      if (limit.exceededBy(whole) && (limit.refuse() || !trains(cut))) {
        tooLong++;
        refused++;
      } else if (!trains(cut)) {
        untrained++;
        refused++;
      } else {
        int before = refused;
        refused = 0;
        return new Sequence(cut.datum(), cut != whole, before, last ? examples : examples - 1, last ? 0 : used);
      }
    }
    return null;
  }

  /** How many were left out since the last sequence given. */
  int refused() {
    return refused;
  }

  /** How many examples there were and what became of them, for an error message. */
  String summary() {
    return examples + " examples, " + tooLong + " sequences refused as longer than " + limit.tokens() + " tokens, "
        + untrained + " refused as without a trained token";
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
    try {
      rendered = renderer.render(item.example());
    } catch (InvalidInputException e) {
      throw new InvalidInputException(item.origin() + ": " + e.getMessage(), e);
    }
    if (rendered.isEmpty()) {
      throw new FettleException(item.origin() + ": the renderer gave no sequence for " + item.example());
    }
    return true;
  }

  /** Whether something is learnt from it; the first token has nothing before it to be predicted from. */
  private static boolean trains(Rendered rendered) {
    float[] weights = rendered.weights();
    for (int i = 1; i < weights.length; i++) {
      if (weights[i] != 0) {
        return true;
      }
    }
    return false;
  }
}
