package dev.fettle.internal.data;

import dev.fettle.InvalidInputException;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.json.JsonReader;
import java.nio.file.Path;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;

/** One JSON array of objects, of which one is held at a time. */
final class JsonArrayRows implements Rows {
  private final Path file;
  private final Opened opened;
  private final JsonParser parser;
  private JsonNode row;
  private long line = 1;
  private boolean ended;

  JsonArrayRows(Path file) {
    this.file = file;
    this.opened = new Opened(this, file);
    try {
      this.parser = JsonForms.JSON.parser(opened.stream());
      parser.nextToken();
    } catch (JacksonException e) {
      throw malformed(e);
    }
  }

  @Override
  public JsonNode next() {
    if (ended) {
      return null;
    }
    try {
      if (parser.nextToken() == JsonToken.END_ARRAY) {
        ended = true;
        if (parser.nextToken() != null) {
          throw new InvalidInputException(file + ":" + line() + ": something follows the array; expected the end of the file, "
              + "or one JSON object a line");
        }
        close();
        return null;
      }
      line = line();
      row = JsonReader.next(parser);
    } catch (JacksonException e) {
      throw malformed(e);
    }
    if (!row.isObject()) {
      close();
      throw wrong(JsonForms.kind(row) + "; expected an object, " + RowForms.FORMS, null);
    }
    return row;
  }

  private long line() {
    return Math.max(1, parser.currentTokenLocation().getLineNr());
  }

  private InvalidInputException malformed(JacksonException e) {
    ended = true;
    close();
    long at = e.getLocation() == null ? line : Math.max(1, e.getLocation().getLineNr());
    String column = e.getLocation() == null ? "" : " at column " + e.getLocation().getColumnNr();
    return new InvalidInputException(file + ":" + at + ": malformed JSON" + column + ": "
        + JsonForms.excerpt(e.getOriginalMessage()) + " (the file begins with [, so it is read as one array)", e);
  }

  @Override
  public String origin() {
    return file + ":" + line;
  }

  @Override
  public String excerpt() {
    return "The element: " + JsonForms.excerpt(row.toString());
  }

  @Override
  public void close() {
    opened.close();
  }
}
