package dev.fettle.internal.data;

import dev.fettle.Batch;
import dev.fettle.DataPosition;
import dev.fettle.Datum;
import dev.fettle.InvalidInputException;
import dev.fettle.Renderer;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;

/**
 * Batches in order. Looks one sequence ahead, so that what is refused after the last batch is still counted in it. An
 * error met while looking ahead waits until the batch before it is given, and then comes at every call.
 */
public final class BatchCursor implements Iterator<Batch> {
  private final Source source;
  private final Limit limit;
  private final Grouping grouping;
  private final Renderer renderer;
  private DataPosition position;
  private Sequences sequences;
  private Sequences.Sequence ahead;
  private RuntimeException failure;

  /** Opens nothing until the first batch is asked for. */
  public BatchCursor(Source source, Limit limit, Grouping grouping, Renderer renderer, DataPosition start) {
    this.source = source;
    this.limit = limit;
    this.grouping = grouping;
    this.renderer = renderer;
    this.position = start;
  }

  /** The position after the batch given last. */
  public DataPosition position() {
    return position;
  }

  @Override
  public boolean hasNext() {
    if (sequences == null && failure == null) {
      start();
    }
    if (failure != null) {
      throw failure;
    }
    return ahead != null;
  }

  @Override
  public Batch next() {
    if (!hasNext()) {
      throw new NoSuchElementException("no batch is left");
    }
    List<Datum> data = new ArrayList<>();
    int truncated = 0;
    int refused = 0;
    long tokens = 0;
    Sequences.Sequence last = ahead;
    while (ahead != null && grouping.fits(data.size(), tokens, ahead.datum().length())) {
      last = ahead;
      data.add(last.datum());
      tokens += last.datum().length();
      truncated += last.truncated() ? 1 : 0;
      refused += last.refusedBefore();
      look();
    }
    if (ahead == null && failure == null) {
      refused += sequences.refused();
    }
    position = new DataPosition(position.batches() + 1, last.examples(), last.sequences(), position.fingerprint());
    return new Batch(data, truncated, refused);
  }

  private void start() {
    boolean fromTheBeginning = position.examples() == 0 && position.sequences() == 0;
    try {
      sequences = new Sequences(source.open(0), limit, renderer);
      sequences.skip(position.examples(), position.sequences());
    } catch (RuntimeException e) {
      fail(e);
      return;
    }
    look();
    if (ahead == null && failure == null && fromTheBeginning) {
      fail(new InvalidInputException(source + " gives nothing to train on: " + sequences.summary()));
    }
  }

  private void look() {
    try {
      ahead = sequences.next();
    } catch (RuntimeException e) {
      fail(e);
    }
  }

  private void fail(RuntimeException e) {
    ahead = null;
    failure = e;
    if (sequences != null) {
      sequences.close();
    }
  }
}
