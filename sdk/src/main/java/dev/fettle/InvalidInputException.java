package dev.fettle;

/** An argument, a file or a line of data is wrong: correct it and call again. Nothing was changed. */
public final class InvalidInputException extends FettleException {
  public InvalidInputException(String message) {
    super(message);
  }

  public InvalidInputException(String message, Throwable cause) {
    super(message, cause);
  }
}
