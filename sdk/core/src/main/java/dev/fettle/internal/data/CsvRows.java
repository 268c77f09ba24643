package dev.fettle.internal.data;

import dev.fettle.InvalidInputException;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.json.ObjectNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Text in columns (RFC 4180), whose first line names them: cells in quotes may hold line breaks, separators and doubled quotes.
 * The separator is the one of comma, semicolon and tab that the first line has most of. An empty cell without quotes is null.
 */
final class CsvRows implements Rows {
  private static final char[] SEPARATORS = {',', ';', '\t'};

  private final CsvCells cells;
  private final List<String> columns = new ArrayList<>();
  private final String origin;

  CsvRows(Path file) {
    this.cells = new CsvCells(file);
    this.origin = file.toString();
    if (!cells.begin()) {
      return;
    }
    cells.separate(separator(cells.line()));
    List<CsvCells.Cell> names = cells.read();
    Set<String> seen = new HashSet<>();
    for (CsvCells.Cell cell : names) {
      String name = cell.text().strip();
      // Tables that were saved with their index have a first column without a name.
      columns.add(name.isEmpty() ? "column " + (columns.size() + 1) : name);
      if (!seen.add(columns.get(columns.size() - 1))) {
        throw cells.wrong(cell.column(), "the first line names the column \"" + JsonForms.excerpt(name)
            + "\" twice; give each another name");
      }
    }
  }

  private static char separator(String line) {
    char best = SEPARATORS[0];
    int most = 0;
    for (char separator : SEPARATORS) {
      int count = 0;
      boolean quoted = false;
      for (int i = 0; i < line.length(); i++) {
        quoted ^= line.charAt(i) == '"';
        count += !quoted && line.charAt(i) == separator ? 1 : 0;
      }
      if (count > most) {
        most = count;
        best = separator;
      }
    }
    return best;
  }

  @Override
  public JsonNode next() {
    if (!cells.begin()) {
      return null;
    }
    List<CsvCells.Cell> row = cells.read();
    if (row.size() != columns.size()) {
      int at = row.get(Math.min(row.size(), columns.size() + 1) - 1).column();
      throw cells.wrong(at, row.size() + (row.size() == 1 ? " cell" : " cells") + ", but the first line names " + columns.size()
          + (columns.size() == 1 ? " column: " : " columns: ") + names() + ". Put cells that hold a "
          + cells.separatorName() + " or a line break in quotes");
    }
    ObjectNode object = new ObjectNode();
    for (int i = 0; i < row.size(); i++) {
      CsvCells.Cell cell = row.get(i);
      if (cell.text().isEmpty() && !cell.quoted()) {
        object.putNull(columns.get(i));
      } else {
        object.put(columns.get(i), cell.text());
      }
    }
    return object;
  }

  private String names() {
    return String.join(", ", columns.stream().limit(8).map(JsonForms::excerpt).toList()) + (columns.size() > 8 ? ", ..." : "");
  }

  @Override
  public String origin() {
    return origin + ":" + cells.first();
  }

  @Override
  public String excerpt() {
    return "The line: " + JsonForms.excerpt(cells.begins());
  }

  @Override
  public InvalidInputException wrong(String what, Throwable cause) {
    return new InvalidInputException(origin() + ": " + what + ". The columns are " + names() + ", as the first line names them. "
        + excerpt(), cause);
  }

  @Override
  public void close() {
    cells.close();
  }
}
