package dev.fettle.internal.serve;

import dev.fettle.FettleException;

/** A request that is answered with an HTTP error; the text is for the person at the client. */
final class Problem extends FettleException {
  private static final long serialVersionUID = 1;

  private final int status;

  Problem(int status, String message) {
    super(message);
    this.status = status;
  }

  static Problem unknown(String message) {
    return new Problem(404, message);
  }

  static Problem invalid(String message) {
    return new Problem(400, message);
  }

  /** Something that the message must have and lacks. */
  static Problem missing(String field) {
    return new Problem(422, field + " is missing");
  }

  static <T> T require(T value, String field) {
    if (value == null) {
      throw missing(field);
    }
    return value;
  }

  int status() {
    return status;
  }
}
