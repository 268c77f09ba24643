package dev.fettle;

import dev.fettle.internal.StackTraces;

/**
 * A service rejected a request, failed or could not be reached. The message says whether to correct something,
 * to call again, or to resume from the state saved last.
 */
public final class ServiceException extends FettleException {
  private static final long serialVersionUID = 1;

  private final int status;

  /** With what went wrong, where, and what to do; the HTTP status, or 0 if there was none. */
  public ServiceException(String message, int status) {
    super(message);
    this.status = status;
  }

  /** The same, with what caused it. */
  public ServiceException(String message, int status, Throwable cause) {
    super(message, cause);
    StackTraces.silence(cause);
    this.status = status;
  }

  /** The HTTP status; 0 if the service did not answer, or answered with what cannot be understood. */
  public int status() {
    return status;
  }
}
