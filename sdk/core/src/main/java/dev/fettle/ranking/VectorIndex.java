package dev.fettle.ranking;

import dev.fettle.ClosedException;
import dev.fettle.InvalidInputException;
import dev.fettle.internal.LocalEngine;
import dev.fettle.internal.NoNulls;
import dev.fettle.internal.VectorScan;
import dev.fettle.internal.ranking.VectorFiles;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import java.util.function.IntFunction;

/**
 * Vectors in memory, searched exactly by inner product, which is the cosine where they have length 1.
 *
 * <pre>{@code
 * try (VectorIndex index = VectorIndex.of(ids, vectors)) {
 *   List<Hit> best = index.search(query, 10);
 *   Retriever retriever = index.retriever(text -> embed(text));
 * }
 * }</pre>
 *
 * <p>The result is that of comparing the query with every vector in double precision: first an 8-bit copy rules out all
 * those that cannot be among the best by a bound on its error, then the others are computed from their floats. A vector
 * of {@code d} numbers takes {@code 5 d + 52} bytes of native memory, freed by {@link #close()}. Thread-safe; searches
 * run one after the other, each on all cores. Good up to some millions of vectors; beyond, an approximate index such as
 * Lucene's is faster. Needs the engine, {@code dev.fettle:fettle-local}, on the class path.
 */
public final class VectorIndex implements AutoCloseable {
  private final VectorScan store;
  private final List<String> ids;

  private VectorIndex(VectorScan store, List<String> ids) {
    this.store = store;
    this.ids = ids;
  }

  /**
   * An index of vectors.
   *
   * @param ids the documents, as many as there are vectors
   * @param vectors of equal length; copied
   * @throws InvalidInputException if there is none, lengths differ, or a number is not finite
   */
  public static VectorIndex of(List<String> ids, float[][] vectors) {
    NoNulls.in(ids, "ids");
    if (ids.size() != NoNulls.in(vectors, "vectors").length) {
      throw new InvalidInputException(ids.size() + " ids for " + vectors.length + " vectors: give one for each");
    }
    return of(ids, (int i) -> vectors[i]);
  }

  /**
   * An index of vectors that come one at a time, so that they need not be in the heap together.
   *
   * @param vectors gives the vector of each document by its place in {@code ids}, called once for each, in order
   */
  public static VectorIndex of(List<String> ids, IntFunction<float[]> vectors) {
    Objects.requireNonNull(vectors, "vectors");
    if (NoNulls.in(ids, "ids").isEmpty()) {
      throw new InvalidInputException("no vector: give at least one");
    }
    List<String> names = List.copyOf(ids);
    float[] first = NoNulls.given(vectors.apply(0), "vectors", "row 0");
    if (first.length == 0) {
      throw new InvalidInputException("vector 0 has no numbers");
    }
    return new VectorIndex(LocalEngine.find("VectorIndex").vectors(names.size(), first.length, (start, count, into) -> {
      for (int i = start; i < start + count; i++) {
        put(i == 0 ? first : NoNulls.given(vectors.apply(i), "vectors", "row " + i), first.length, i, into);
      }
      VectorFiles.finite(into, start, first.length, "vectors");
    }), names);
  }

  private static void put(float[] vector, int dimensions, int row, ByteBuffer into) {
    if (vector.length != dimensions) {
      throw new InvalidInputException("vector " + row + " has " + vector.length + " numbers, the first has "
          + dimensions);
    }
    for (float x : vector) {
      into.putFloat(x);
    }
  }

  /**
   * Reads what {@link #write(Path)} wrote, or another program: a matrix of 32-bit floats as {@code .npy} or
   * {@code .fvecs}, and if there is one, the file of the same name and {@code .ids}. Without it, documents are named by
   * their row from 0 on.
   *
   * @throws InvalidInputException if a file is missing or broken, or the number of ids is not that of the vectors
   */
  public static VectorIndex read(Path file) {
    Objects.requireNonNull(file, "file");
    VectorScan store = VectorFiles.read(file);
    try {
      return new VectorIndex(store, VectorFiles.ids(file, store));
    } catch (RuntimeException e) {
      store.close();
      throw e;
    }
  }

  /**
   * The best documents for a vector, the best first; of equal ones the earlier.
   *
   * @param query as long as the vectors
   * @param count how many are wanted; fewer if there are not as many
   * @throws InvalidInputException if the length differs, a number is not finite, or {@code count} is less than 1
   * @throws ClosedException after {@link #close()}
   */
  public List<Hit> search(float[] query, int count) {
    return search(List.of(Objects.requireNonNull(query, "query")), count).get(0);
  }

  /** {@link #search(float[], int)} for several vectors, which takes less time than one by one. */
  public List<List<Hit>> search(List<float[]> queries, int count) {
    if (count < 1) {
      throw new InvalidInputException("count = " + count + ": must be at least 1");
    }
    for (float[] query : NoNulls.in(queries, "queries")) {
      if (query.length != store.dimensions()) {
        throw new InvalidInputException("the query has " + query.length + " numbers, the vectors have "
            + store.dimensions());
      }
      for (float x : query) {
        if (!Float.isFinite(x)) {
          throw new InvalidInputException("the query has the number " + x + ": " + Arrays.toString(query));
        }
      }
    }
    List<List<Hit>> all = new ArrayList<>();
    for (List<VectorScan.Found> found : store.search(queries, count)) {
      all.add(found.stream().map(f -> new Hit(ids.get(f.row()), f.score())).toList());
    }
    return all;
  }

  /** A search by text, with what makes a vector of a text. */
  public Retriever retriever(Function<String, float[]> embed) {
    Objects.requireNonNull(embed, "embed");
    return (query, count) -> search(
        NoNulls.given(embed.apply(Objects.requireNonNull(query, "query")), "embed", "query " + query), count);
  }

  /**
   * Writes or replaces a file of the vectors, {@code .npy} (NumPy, and so FAISS and most others; the plain floats
   * begin at a multiple of 64 bytes) or {@code .fvecs}, and beside it one of the documents, a line each, with
   * {@code .ids} appended to its name.
   *
   * @throws InvalidInputException if the name ends in neither
   */
  public void write(Path file) {
    VectorFiles.write(Objects.requireNonNull(file, "file"), store, ids);
  }

  /** How many vectors there are. */
  public int size() {
    return ids.size();
  }

  /** How many numbers a vector has. */
  public int dimensions() {
    return store.dimensions();
  }

  /** The documents in order. */
  public List<String> ids() {
    return ids;
  }

  /** The vector of a row. */
  public float[] vector(int row) {
    Objects.checkIndex(row, ids.size());
    float[] vector = new float[store.dimensions()];
    store.read(row, 1).asFloatBuffer().get(vector);
    return vector;
  }

  /** Frees the memory. Idempotent. */
  @Override
  public void close() {
    store.close();
  }

  @Override
  public String toString() {
    return "VectorIndex[" + ids.size() + " x " + store.dimensions() + "]";
  }
}
