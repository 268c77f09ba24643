package dev.fettle.internal.json;

/** What is no JSON, or not the JSON that was expected. The message is one sentence without a place. */
public final class JsonException extends RuntimeException {
  private final int line;
  private final int column;

  /** Of a value that has been read. */
  public JsonException(String message) {
    this(message, 0, 0, null);
  }

  JsonException(String message, int line, int column, Throwable cause) {
    super(message, cause);
    this.line = line;
    this.column = column;
  }

  /** Where in the text, from 1; 0 if that is not known. */
  public int line() {
    return line;
  }

  /** Where in the line, from 1; 0 if that is not known. */
  public int column() {
    return column;
  }
}
