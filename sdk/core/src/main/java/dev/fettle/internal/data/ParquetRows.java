package dev.fettle.internal.data;

import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.json.ObjectNode;
import java.nio.file.Path;

/** Rows of Parquet. */
final class ParquetRows implements Rows {
  private final Path file;
  private final Hardwood reader;
  private long number;
  private ObjectNode row;

  ParquetRows(Path file) {
    this.file = file;
    this.reader = Hardwood.open(this, file);
  }

  @Override
  public JsonNode next() {
    row = reader.next(file, number + 1);
    number++;
    if (row == null) {
      close();
    }
    return row;
  }

  @Override
  public String origin() {
    return file + ", row " + number;
  }

  @Override
  public String excerpt() {
    return "The row: " + JsonForms.excerpt(row.toString());
  }

  @Override
  public void close() {
    reader.close();
  }
}
