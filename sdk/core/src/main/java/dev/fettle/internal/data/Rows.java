package dev.fettle.internal.data;

import dev.fettle.InvalidInputException;
import dev.fettle.internal.json.JsonNode;

/** The rows of a file from front to back, each an object of its columns. Errors name the file and the place. Not thread-safe. */
interface Rows {
  /** The next row, an object; {@code null} at the end of the file, which is then closed. */
  JsonNode next();

  /** Where the row given last is, such as {@code train.jsonl:17}. */
  String origin();

  /** How the row given last begins, for an error: {@code The line: ...}. */
  String excerpt();

  /** Closes the file before its end. Idempotent. */
  void close();

  /** An error about the row given last. */
  default InvalidInputException wrong(String what, Throwable cause) {
    return new InvalidInputException(origin() + ": " + what + ". " + excerpt(), cause);
  }
}
