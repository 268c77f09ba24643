package dev.fettle;

/** An argument, a file or a line of data is wrong: correct it and call again. Nothing was changed. */
public final class InvalidInputException extends FettleException {
  /** With what went wrong, where, and what to do. */
  public InvalidInputException(String message) {
    super(message);
  }

  /** The same, with what caused it. */
  public InvalidInputException(String message, Throwable cause) {
    super(message, cause);
  }
}
