package dev.fettle.internal.data;

import dev.fettle.InvalidInputException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Rows of cells, each of one line or of several where a quoted cell holds line breaks. */
final class CsvCells {
  /** What a cell that is never closed may swallow before that is said. */
  private static final int LONGEST = 16 << 20;

  /**
   * A cell.
   *
   * @param column the place of its first character in its line, from 1
   */
  record Cell(String text, boolean quoted, int column) {}

  private final Path file;
  private final Lines lines;
  private char separator = ',';
  private String line;
  private String begins;
  private long first;
  private int at;

  CsvCells(Path file) {
    this.file = file;
    this.lines = new Lines(file);
  }

  void separate(char by) {
    separator = by;
  }

  String separatorName() {
    return separator == '\t' ? "tab" : separator == ';' ? "semicolon" : "comma";
  }

  /** Goes to the next line that is not blank; false at the end. */
  boolean begin() {
    do {
      line = lines.next();
      if (line == null) {
        return false;
      }
    } while (line.isBlank());
    first = lines.number();
    begins = line;
    at = 0;
    return true;
  }

  /** The line that was begun. */
  String line() {
    return line;
  }

  /** The number of the row's first line. */
  long first() {
    return first;
  }

  /** The row's first line. */
  String begins() {
    return begins;
  }

  /** The cells of the row that was begun, at least one. */
  List<Cell> read() {
    List<Cell> cells = new ArrayList<>();
    do {
      cells.add(at < line.length() && line.charAt(at) == '"' ? quoted() : plain());
    } while (more());
    return cells;
  }

  /** Passes over a separator; false at the end of the row. */
  private boolean more() {
    boolean more = at < line.length() && line.charAt(at) == separator;
    at += more ? 1 : 0;
    return more;
  }

  /** The end of the current line, before a carriage return. */
  private int end() {
    int end = line.length();
    return end > 0 && line.charAt(end - 1) == '\r' ? end - 1 : end;
  }

  private Cell plain() {
    int from = at;
    int end = end();
    while (at < end && line.charAt(at) != separator) {
      if (line.charAt(at) == '\r') {
        throw wrong(at + 1, "a carriage return within a line; end lines with line feeds, and put cells with line breaks in quotes");
      }
      at++;
    }
    return new Cell(line.substring(from, at), false, from + 1);
  }

  private Cell quoted() {
    int column = at + 1;
    StringBuilder text = new StringBuilder();
    at++;
    while (true) {
      int quote = line.indexOf('"', at);
      if (quote < 0) {
        text.append(line, at, line.length()).append('\n');
        nextLine(column, text.length());
      } else if (quote + 1 < line.length() && line.charAt(quote + 1) == '"') {
        text.append(line, at, quote + 1);
        at = quote + 2;
      } else {
        text.append(line, at, quote);
        at = quote + 1;
        break;
      }
    }
    if (at < end() && line.charAt(at) != separator) {
      throw wrong(at + 1, "text after the quote that ends a cell; expected a " + separatorName()
          + " or the end of the line, and within a cell two quotes for one");
    }
    return new Cell(text.toString(), true, column);
  }

  private void nextLine(int column, int length) {
    line = length > LONGEST ? null : lines.next();
    at = 0;
    if (line == null) {
      close();
      throw new InvalidInputException(file + ":" + first + ": the quote that is opened in this row, at column " + column
          + " of a line, is not closed " + (length > LONGEST ? "within 16 million characters" : "before the end of the file")
          + ". The line: " + JsonForms.excerpt(begins));
    }
  }

  /** An error at a column of the current line. */
  InvalidInputException wrong(int column, String what) {
    close();
    return new InvalidInputException(file + ":" + lines.number() + ": column " + column + ": " + what + ". The line: "
        + JsonForms.excerpt(line));
  }

  void close() {
    lines.close();
  }
}
