package dev.fettle.internal.data;

import dev.fettle.InvalidInputException;
import dev.fettle.internal.json.JsonNode;
import java.nio.file.Path;

/** JSON Lines; blank ones are passed over. */
final class JsonlRows implements Rows {
  private final Lines lines;
  private String line;

  JsonlRows(Path file) {
    this.lines = new Lines(file);
  }

  @Override
  public JsonNode next() {
    do {
      line = lines.next();
    } while (line != null && line.isBlank());
    try {
      return line == null ? null : JsonForms.object(line, RowForms.FORMS);
    } catch (InvalidInputException e) {
      throw wrong(e.getMessage(), e.getCause());
    }
  }

  @Override
  public String origin() {
    return lines.origin();
  }

  @Override
  public String excerpt() {
    return "The line: " + JsonForms.excerpt(line);
  }

  @Override
  public void close() {
    lines.close();
  }
}
