package dev.fettle.internal.data;

/** One pass over a {@link Source}, read once from front to back. Not thread-safe. */
public interface Cursor extends AutoCloseable {
  /** The next item; {@code null} at the end, by which time everything is closed. */
  Item next();

  /** Gives back what is open; may be called at any time, and again. */
  @Override
  void close();
}
