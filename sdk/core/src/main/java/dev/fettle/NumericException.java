package dev.fettle;

/** A loss or a gradient became NaN or infinite; the weights are as they were before the step. */
public final class NumericException extends FettleException {
  /** With what went wrong, where, and what to do. */
  public NumericException(String message) {
    super(message);
  }

  /** The same, with what caused it. */
  public NumericException(String message, Throwable cause) {
    super(message, cause);
  }
}
