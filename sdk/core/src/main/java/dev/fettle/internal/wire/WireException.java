package dev.fettle.internal.wire;

import dev.fettle.FettleException;

/** Bytes that are not the message they should be; the text says which and where. */
public final class WireException extends FettleException {
  private static final long serialVersionUID = 1;

  /** With what is wrong. */
  public WireException(String message) {
    super(message);
  }

  /** The same, with what caused it. */
  public WireException(String message, Throwable cause) {
    super(message, cause);
  }
}
