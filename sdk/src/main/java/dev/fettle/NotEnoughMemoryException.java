package dev.fettle;

/** The work would not fit into memory, by an estimate made before anything was allocated: make it smaller. */
public final class NotEnoughMemoryException extends FettleException {
  public NotEnoughMemoryException(String message) {
    super(message);
  }

  public NotEnoughMemoryException(String message, Throwable cause) {
    super(message, cause);
  }
}
