package dev.fettle;

/**
 * Root of the errors that Fettle throws; unchecked. The message says what is wrong, where (file, line, tensor or
 * argument and its value) and what to do. The subclasses differ in what the caller does next.
 */
public class FettleException extends RuntimeException {
  /** With what went wrong, where, and what to do. */
  public FettleException(String message) {
    super(message);
  }

  /** The same, with what caused it. */
  public FettleException(String message, Throwable cause) {
    super(message, cause);
  }
}
