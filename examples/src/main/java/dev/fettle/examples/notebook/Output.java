package dev.fettle.examples.notebook;

/**
 * What a cell shows.
 *
 * @param type {@link #STREAM} for what it printed, {@link #ERROR}, else the media type of its result
 * @param data the text; base64 of a picture
 */
public record Output(String type, String data) {
  /** What a cell printed. */
  public static final String STREAM = "stream";
  /** Why it failed. */
  public static final String ERROR = "error";
  /** A result as text. */
  public static final String TEXT = "text/plain";
  /** A result that is a picture. */
  public static final String PICTURE = "image/png";
}
