package dev.fettle.internal.data;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** How a file holds rows. */
public enum Format {
  /** JSON, one object a line, or one array of objects. */
  JSONL("Write one JSON object a line", "jsonl", "ndjson", "json"),
  /** Text in columns, separated by commas, semicolons or tabs. */
  CSV("Write a line of column names and one line for each example", "csv", "tsv"),
  /** Columns of Apache Parquet. */
  PARQUET("Write at least one row", "parquet");

  private final String form;
  private final List<String> endings;

  Format(String form, String... endings) {
    this.form = form;
    this.endings = List.of(endings);
  }

  /** The format that a file's name says; {@code .gz} may follow, but not after Parquet's. */
  public static Optional<Format> of(String name) {
    String lower = name.toLowerCase(Locale.ROOT);
    for (Format format : values()) {
      for (String ending : format.endings) {
        if (lower.endsWith("." + ending) || format != PARQUET && lower.endsWith("." + ending + ".gz")) {
          return Optional.of(format);
        }
      }
    }
    return Optional.empty();
  }

  /**
   * Checks that there is a reader of the format.
   *
   * @param file whose sake it is for
   * @throws dev.fettle.FettleException if there is none
   */
  public void require(String file) {
    if (this == PARQUET) {
      Hardwood.require(file);
    }
  }

  /** What to write into a file without an example. */
  String form() {
    return form;
  }

  Rows open(Path file) {
    return switch (this) {
      case JSONL -> Opened.beginsWith('[', file) ? new JsonArrayRows(file) : new JsonlRows(file);
      case CSV -> new CsvRows(file);
      case PARQUET -> new ParquetRows(file);
    };
  }
}
