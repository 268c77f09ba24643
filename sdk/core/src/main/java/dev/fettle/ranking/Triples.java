package dev.fettle.ranking;

import dev.fettle.InvalidInputException;
import dev.fettle.internal.NoNulls;
import dev.fettle.internal.data.RetrievalFiles;
import dev.fettle.internal.data.TripleCursor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.Random;

/**
 * Pairs and triples to train an embedding model or a reranker on, in memory; {@link #streamed} reads larger files.
 * Immutable and thread-safe.
 */
public final class Triples implements Iterable<Triple> {
  private final List<Triple> triples;

  private Triples(List<Triple> triples) {
    if (triples.isEmpty()) {
      throw new InvalidInputException("no pair or triple: give at least one");
    }
    this.triples = triples;
  }

  /**
   * Files of JSON Lines, one after the other: {@code {"query", "positive"}} and, if there are some,
   * {@code "negatives"}. Also understood: {@code anchor} for query, {@code pos} for positive, {@code negative} and
   * {@code neg} for negatives, a list of positives (a triple for each) and a single negative as a string. {@code .gz}
   * is unpacked.
   *
   * @throws InvalidInputException with file and line if a line has another form or an empty text
   */
  public static Triples jsonl(Path... files) {
    return new Triples(List.copyOf(RetrievalFiles.triples(List.of(NoNulls.in(files, "files")))));
  }

  /** Triples in memory. */
  public static Triples of(List<Triple> triples) {
    return new Triples(List.copyOf(NoNulls.in(triples, "triples")));
  }

  /** How many there are. */
  public int size() {
    return triples.size();
  }

  /** All of them. */
  public List<Triple> all() {
    return triples;
  }

  /** These and others. */
  public Triples plus(Triples others) {
    List<Triple> all = new ArrayList<>(triples);
    all.addAll(Objects.requireNonNull(others, "others").triples);
    return of(all);
  }

  /** These in random order; every order is equally likely, and follows from the seed alone. */
  public Triples shuffle(long seed) {
    List<Triple> shuffled = new ArrayList<>(triples);
    Collections.shuffle(shuffled, new Random(seed));
    return new Triples(Collections.unmodifiableList(shuffled));
  }

  /** Lists of {@code count} triples in order; the last one has what is left. */
  public List<List<Triple>> batches(int count) {
    atLeastOne(count);
    List<List<Triple>> batches = new ArrayList<>();
    for (int i = 0; i < triples.size(); i += count) {
      batches.add(triples.subList(i, Math.min(i + count, triples.size())));
    }
    return batches;
  }

  /**
   * Lists of {@code count} triples of files in the form of {@link #jsonl}, in their order; the last one has what is
   * left. Lines are read as they are asked for, and each iterator begins at the start: for files that do not fit into
   * memory. Such a file is not shuffled: write it in random order.
   *
   * @throws InvalidInputException if no file is given; a broken line is reported once it is reached
   */
  public static Iterable<List<Triple>> streamed(int count, Path... files) {
    atLeastOne(count);
    List<Path> all = List.of(NoNulls.in(files, "files"));
    new TripleCursor(all);
    return () -> {
      Iterator<Triple> triples = new TripleCursor(all);
      return new Iterator<>() {
        @Override
        public boolean hasNext() {
          return triples.hasNext();
        }

        @Override
        public List<Triple> next() {
          List<Triple> batch = new ArrayList<>(List.of(triples.next()));
          while (batch.size() < count && triples.hasNext()) {
            batch.add(triples.next());
          }
          return Collections.unmodifiableList(batch);
        }
      };
    };
  }

  private static void atLeastOne(int count) {
    if (count < 1) {
      throw new InvalidInputException("batch size = " + count + ": must be at least 1");
    }
  }

  /** Writes or replaces a file in the form that {@link #jsonl} reads, whole or not at all. */
  public void write(Path file) {
    RetrievalFiles.writeTriples(Objects.requireNonNull(file, "file"), triples);
  }

  @Override
  public Iterator<Triple> iterator() {
    return triples.iterator();
  }

  @Override
  public String toString() {
    int negatives = triples.stream().mapToInt(t -> t.negatives().size()).sum();
    return "Triples[" + triples.size() + ", " + negatives + " negatives]";
  }
}
