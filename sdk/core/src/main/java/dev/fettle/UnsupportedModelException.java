package dev.fettle;

/** A model or an adapter asks for something that this version does not do; it is named, never ignored. */
public final class UnsupportedModelException extends FettleException {
  /** With what went wrong, where, and what to do. */
  public UnsupportedModelException(String message) {
    super(message);
  }

  /** The same, with what caused it. */
  public UnsupportedModelException(String message, Throwable cause) {
    super(message, cause);
  }
}
