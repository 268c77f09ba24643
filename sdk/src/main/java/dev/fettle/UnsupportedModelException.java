package dev.fettle;

/** A model or an adapter asks for something that this version does not do; it is named, never ignored. */
public final class UnsupportedModelException extends FettleException {
  public UnsupportedModelException(String message) {
    super(message);
  }

  public UnsupportedModelException(String message, Throwable cause) {
    super(message, cause);
  }
}
