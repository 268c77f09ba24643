package dev.fettle;

/** Something is used after it, or the {@link Fettle} that it came from, was closed: open it again. */
public final class ClosedException extends FettleException {
  /** With what went wrong, where, and what to do. */
  public ClosedException(String message) {
    super(message);
  }
}
