package dev.fettle;

import dev.fettle.internal.Digests;
import dev.fettle.internal.OneLine;
import dev.fettle.internal.data.BatchCursor;
import dev.fettle.internal.data.Fingerprints;
import dev.fettle.internal.data.Grouping;
import dev.fettle.internal.data.Lengths;
import dev.fettle.internal.data.Limit;
import dev.fettle.internal.data.Source;
import dev.fettle.internal.data.Told;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The batches of a {@link Dataset}, to be used in a for-loop; each loop reads the data from the start. {@link #position()}
 * is where the latest loop has come to, and {@link #from(DataPosition)} resumes there with exactly the batches that
 * would have followed. Not thread-safe, and neither are its iterators; there is nothing to close.
 */
public final class Batches implements Iterable<Batch> {
  private final Source source;
  private final Limit limit;
  private final Grouping grouping;
  private final Renderer renderer;
  private final DataPosition start;
  private final Told told;
  private @Nullable BatchCursor latest;

  Batches(Source source, Limit limit, Grouping grouping, Renderer renderer) {
    this(source, limit, grouping, renderer,
        new DataPosition(0, 0, 0, Fingerprints.of(source, limit, grouping)), Told.nothing());
  }

  private Batches(Source source, Limit limit, Grouping grouping, Renderer renderer, DataPosition start, Told told) {
    this.source = source;
    this.limit = limit;
    this.grouping = grouping;
    this.renderer = renderer;
    this.start = start;
    this.told = told;
  }

  /**
   * A new pass from the start, or from the position that was given.
   *
   * <p>Its methods throw {@link InvalidInputException} for a wrong line (with file and line), for an example that the
   * renderer rejects, before the first batch for sequences that {@link TooLong#REFUSE} rejects, and if there is nothing at
   * all to train on. After an error every further call throws it again.
   */
  @Override
  public Iterator<Batch> iterator() {
    latest = cursor(source, told);
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
    return new Batches(source, limit, grouping, renderer, position, told);
  }

  /**
   * How many batches there are from the start, or from the position given; reads and renders everything to know, but of
   * epochs that hold the same examples one alone.
   */
  public long count() {
    return count(Long.MAX_VALUE);
  }

  /** How many batches there are, or {@code most} if there are more; reads and renders no further than that takes. */
  public long count(long most) {
    if (most < 1) {
      throw new InvalidInputException("most = " + most + ": must be at least 1");
    }
    boolean epochsAlike = start.batches() == 0 && !grouping.byTokens();
    long sequences = 0;
    long count = 0;
    try (Progress progress = Progress.passing("count", 0)) {
      Iterator<Batch> counted = cursor(epochsAlike ? source.once() : source, Told.byOthers());
      while (count < most && counted.hasNext()) {
        Batch batch = counted.next();
        sequences += batch.size();
        count++;
        progress.step(Double.NaN, batch.tokens());
      }
    }
    return count == most || !epochsAlike ? count : Math.min(most, overEpochs(sequences));
  }

  private long overEpochs(long sequences) {
    return (Math.multiplyExact(sequences, source.copies()) + grouping.most() - 1) / grouping.most();
  }

  /**
   * Reads and renders everything once, before the first step: says on {@code System.err} what becomes of sequences that
   * are too long, and is silent about them from then on. Of epochs that hold the same examples one alone is read. Takes
   * as long as {@link #count()}.
   *
   * @param name what the messages call these data, such as {@code training data}
   * @throws InvalidInputException for what {@link #iterator()} rejects
   */
  public DataSummary check(String name) {
    Objects.requireNonNull(name, "name");
    BatchCursor cursor = cursor(grouping.byTokens() ? source : source.once(), Told.byOthers());
    MessageDigest digest = Digests.sha256();
    long sequences = 0;
    long count = 0;
    try (Progress progress = Progress.passing("read " + name, 0)) {
      while (cursor.hasNext()) {
        Batch batch = cursor.next();
        batch.data().forEach(datum -> digest.update(bytes(datum)));
        sequences += batch.size();
        count++;
        progress.step(Double.NaN, batch.tokens());
      }
    }
    Lengths lengths = cursor.lengths();
    lengths.decide(name);
    told.all();
    return new DataSummary(grouping.byTokens() ? count : overEpochs(sequences), sequences, lengths.most(),
        lengths.cut(), lengths.skipped(), HexFormat.of().formatHex(digest.digest()));
  }

  private static ByteBuffer bytes(Datum datum) {
    ByteBuffer bytes = ByteBuffer.allocate(4 + 8 * datum.length());
    bytes.putInt(datum.length());
    for (int i = 0; i < datum.length(); i++) {
      bytes.putInt(datum.targets()[i]).putFloat(datum.weights()[i]);
    }
    return bytes.flip();
  }

  /** These without a word on {@code System.err} about sequences that are too long, and without looking for them first. */
  public Batches quietly() {
    return new Batches(source, limit, grouping, renderer, start, Told.byOthers());
  }

  private BatchCursor cursor(Source from, Told known) {
    return new BatchCursor(from, limit.within(renderer.contextLength()), grouping, renderer, start, known);
  }

  @Override
  public String toString() {
    return OneLine.of("Batches", source + limit.toString() + ", " + grouping);
  }
}
