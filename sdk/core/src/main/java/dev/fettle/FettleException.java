package dev.fettle;

import dev.fettle.internal.StackTraces;

/**
 * Root of the errors that Fettle throws; unchecked. The message says what is wrong, where (file, line, tensor or
 * argument and its value) and what to do. The subclasses differ in what the caller does next.
 *
 * <p>The stack trace begins with the public call that failed, also where the work is done by another thread; the system
 * property {@code fettle.stack=full} shows the library's own frames instead.
 */
public class FettleException extends RuntimeException {
  /** With what went wrong, where, and what to do. */
  public FettleException(String message) {
    super(message);
    StackTraces.shorten(this);
  }

  /** The same, with what caused it. */
  public FettleException(String message, Throwable cause) {
    super(message, cause);
    StackTraces.shorten(this);
  }
}
