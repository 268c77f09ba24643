package dev.fettle.internal.data;

import dev.fettle.Batch;
import dev.fettle.DataPosition;
import dev.fettle.Datum;
import dev.fettle.InvalidInputException;
import dev.fettle.Progress;
import dev.fettle.Renderer;
import dev.fettle.TooLong;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;

/**
 * Batches in order. Looks one sequence ahead, so that what is skipped after the last batch is still counted in it. An
 * error met while looking ahead waits until the batch before it is given, and then comes at every call. Where long
 * sequences are to be refused, all are looked at before the first batch.
 */
public final class BatchCursor implements Iterator<Batch> {
  private static final String UNIT = "sequences";

  private final Source source;
  private final Limit limit;
  private final Grouping grouping;
  private final Renderer renderer;
  private final Told told;
  private final Lengths lengths;
  private DataPosition position;
  private Sequences sequences;
  private Sequences.Sequence ahead;
  private RuntimeException failure;

  /** Opens nothing until the first batch is asked for. */
  public BatchCursor(Source source, Limit limit, Grouping grouping, Renderer renderer, DataPosition start,
      Told told) {
    this.source = source;
    this.limit = limit;
    this.grouping = grouping;
    this.renderer = renderer;
    this.position = start;
    this.told = told;
    this.lengths = new Lengths(limit, UNIT);
  }

  /** The position after the batch given last. */
  public DataPosition position() {
    return position;
  }

  /** What became of the sequences that were read so far. */
  public Lengths lengths() {
    return lengths;
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
    int cut = 0;
    int skipped = 0;
    long tokens = 0;
    Sequences.Sequence last = ahead;
    while (ahead != null && grouping.fits(data.size(), tokens, ahead.datum().length())) {
      last = ahead;
      data.add(last.datum());
      tokens += last.datum().length();
      cut += last.cut() ? 1 : 0;
      skipped += last.skippedBefore();
      look();
    }
    if (ahead == null && failure == null) {
      skipped += sequences.skipped();
    }
    position = new DataPosition(position.batches() + 1, last.examples(), last.sequences(), position.fingerprint());
    return new Batch(data, cut, skipped);
  }

  private void start() {
    boolean fromTheBeginning = position.examples() == 0 && position.sequences() == 0;
    try {
      if (limit.tooLong() == TooLong.REFUSE && !told.isChecked()) {
        check();
      }
      sequences = new Sequences(source.open(0), lengths, renderer);
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

  private void check() {
    Lengths all = new Lengths(limit, UNIT);
    Sequences checked = new Sequences(source.once().open(0), all, renderer);
    try (Progress progress = Progress.passing("check lengths", 0)) {
      for (Sequences.Sequence next = checked.next(); next != null; next = checked.next()) {
        progress.step(Double.NaN, next.datum().length());
      }
    } finally {
      checked.close();
    }
    all.decide(source.toString());
    told.checked();
  }

  private void look() {
    try {
      ahead = sequences.next();
      told.first(lengths);
      if (ahead == null) {
        told.total(source.toString(), lengths);
      }
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
