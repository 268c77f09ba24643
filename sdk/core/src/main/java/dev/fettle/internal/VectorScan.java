package dev.fettle.internal;

import java.nio.ByteBuffer;
import java.util.List;

/** Vectors in the engine's memory, searched exactly by inner product. Thread-safe. */
public interface VectorScan extends AutoCloseable {
  /** Rows that pass through Java at a time. */
  int CHUNK = 4096;

  /** A vector and its inner product with a query. */
  record Found(int row, double score) {}

  /** Gives the numbers of some rows. */
  @FunctionalInterface
  interface Rows {
    /** Puts the little-endian floats of at most {@link #CHUNK} rows into a buffer of exactly their size. */
    void read(int start, int count, ByteBuffer into);
  }

  /** How many vectors there are. */
  int rows();

  /** How many numbers a vector has. */
  int dimensions();

  /**
   * The best rows for each query, the best first; of equal ones the earlier row.
   *
   * @throws dev.fettle.ClosedException after {@link #close()}
   */
  List<List<Found>> search(List<float[]> queries, int count);

  /**
   * The little-endian floats of some rows.
   *
   * @throws dev.fettle.ClosedException after {@link #close()}
   */
  ByteBuffer read(int start, int count);

  /** Frees the vectors. Idempotent. */
  @Override
  void close();
}
