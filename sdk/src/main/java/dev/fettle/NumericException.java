package dev.fettle;

/** A loss or a gradient became NaN or infinite; the weights are as they were before the step. */
public final class NumericException extends FettleException {
  public NumericException(String message) {
    super(message);
  }

  public NumericException(String message, Throwable cause) {
    super(message, cause);
  }
}
