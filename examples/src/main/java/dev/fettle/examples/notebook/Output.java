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

  /** What is seen of a text that was printed: what comes after a carriage return is over what was before it in its line. */
  static String seen(String printed) {
    StringBuilder seen = new StringBuilder();
    for (String line : printed.replace("\r\n", "\n").split("(?<=\n)")) {
      String end = line.endsWith("\n") ? "\n" : "";
      StringBuilder shown = new StringBuilder();
      for (String part : line.substring(0, line.length() - end.length()).split("\r")) {
        shown.replace(0, Math.min(part.length(), shown.length()), part);
      }
      seen.append(line.contains("\r") ? shown.toString().stripTrailing() : shown).append(end);
    }
    return seen.toString();
  }
}
