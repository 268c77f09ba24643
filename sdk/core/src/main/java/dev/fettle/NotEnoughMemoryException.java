package dev.fettle;

/** The work would not fit into memory, by an estimate made before anything was allocated: make it smaller. */
public final class NotEnoughMemoryException extends FettleException {
  /** With what went wrong, where, and what to do. */
  public NotEnoughMemoryException(String message) {
    super(message);
  }

  /** The same, with what caused it. */
  public NotEnoughMemoryException(String message, Throwable cause) {
    super(message, cause);
  }
}
