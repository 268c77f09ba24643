package dev.fettle;

import dev.fettle.internal.data.BatchCursor;
import dev.fettle.internal.data.Fingerprints;
import dev.fettle.internal.data.Grouping;
import dev.fettle.internal.data.Limit;
import dev.fettle.internal.data.Source;
import java.util.Iterator;
import java.util.Objects;

/**
 * The batches of a {@link Dataset}, to be used in a for-loop; each loop reads the data anew. {@link #position()} is
 * where the latest loop has come to, and {@link #from(DataPosition)} goes on from there with exactly the batches that
 * would have followed. Not thread-safe, and neither are its iterators; there is nothing to close.
 */
public final class Batches implements Iterable<Batch> {
  private final Source source;
  private final Limit limit;
  private final Grouping grouping;
  private final Renderer renderer;
  private final DataPosition start;
  private BatchCursor latest;

  Batches(Source source, Limit limit, Grouping grouping, Renderer renderer) {
    this(source, limit, grouping, renderer,
        new DataPosition(0, 0, 0, Fingerprints.of(source, limit, grouping)));
  }

  private Batches(Source source, Limit limit, Grouping grouping, Renderer renderer, DataPosition start) {
    this.source = source;
    this.limit = limit;
    this.grouping = grouping;
    this.renderer = renderer;
    this.start = start;
  }

  /**
   * A new pass from the start, or from the position that was given.
   *
   * <p>Its methods throw {@link InvalidInputException} for a wrong line (with file and line), for an example that the
   * renderer refuses, and if there is nothing at all to train on. After an error every further call throws it again.
   */
  @Override
  public Iterator<Batch> iterator() {
    latest = new BatchCursor(source, limit, grouping, renderer, start);
    return latest;
  }

  /** The position after the last batch that the latest iterator gave; before the first batch, where it starts. */
  public DataPosition position() {
    return latest == null ? start : latest.position();
  }

  /**
   * These batches without those before a position. The examples before it are read again but not rendered, so that
   * shuffling, mixing and epochs stand exactly where they stood; that takes as long as reading the files up to there.
   *
   * @throws InvalidInputException if the position was taken in other data: other names or sizes of files, seeds,
   *     weights, epochs, length limit or batch size. The renderer and the contents of the files are not compared.
   */
  public Batches from(DataPosition position) {
    Objects.requireNonNull(position, "position");
    if (!position.fingerprint().equals(start.fingerprint())) {
      throw new InvalidInputException("position " + position + " belongs to other data than " + this + " ("
          + start.fingerprint() + "): use the same file names and sizes, seeds, weights, epochs, length limit and "
          + "batch size as when it was saved, or start from the beginning");
    }
    return new Batches(source, limit, grouping, renderer, position);
  }

  /** How many batches there are from the start, or from the position given; reads and renders everything to know. */
  public long count() {
    long count = 0;
    Iterator<Batch> counted = new BatchCursor(source, limit, grouping, renderer, start);
    while (counted.hasNext()) {
      counted.next();
      count++;
    }
    return count;
  }

  @Override
  public String toString() {
    return Dataset.line("Batches", source + limit.toString() + ", " + grouping);
  }
}
