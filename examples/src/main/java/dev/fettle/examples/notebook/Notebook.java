package dev.fettle.examples.notebook;

import dev.fettle.InvalidInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.core.JacksonException;
import tools.jackson.core.util.DefaultIndenter;
import tools.jackson.core.util.DefaultPrettyPrinter;
import tools.jackson.core.util.Separators;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** A Jupyter notebook of format 4. What is not code stays as it is. Not thread-safe. */
public final class Notebook {
  private static final JsonMapper JSON = new JsonMapper();

  private final Path file;
  private final ObjectNode json;

  private Notebook(Path file, ObjectNode json) {
    this.file = file;
    this.json = json;
  }

  /**
   * Reads a file.
   *
   * @throws InvalidInputException if it is no such notebook
   */
  public static Notebook read(Path file) {
    try {
      if (JSON.readTree(Files.readString(file)) instanceof ObjectNode json && json.path("nbformat").asInt(0) == 4) {
        return new Notebook(file, json);
      }
      throw new InvalidInputException(file + " is no notebook of format 4");
    } catch (IOException | JacksonException e) {
      throw new InvalidInputException(file + " cannot be read as a notebook: " + e.getMessage(), e);
    }
  }

  /** The cells of code, in order. */
  public List<Cell> cells() {
    List<Cell> cells = new ArrayList<>();
    for (JsonNode cell : json.get("cells")) {
      if (cell.get("cell_type").asString().equals("code")) {
        cells.add(new Cell((ObjectNode) cell));
      }
    }
    return cells;
  }

  /** Where it was read from. */
  public Path file() {
    return file;
  }

  /** Writes it as Jupyter does: one space of indentation, a line break at the end. */
  public void write(Path to) {
    DefaultIndenter indent = new DefaultIndenter(" ", "\n");
    DefaultPrettyPrinter printer = new DefaultPrettyPrinter(Separators.createDefaultInstance()
        .withObjectNameValueSpacing(Separators.Spacing.AFTER).withArrayEmptySeparator("").withObjectEmptySeparator(""));
    printer.indentArraysWith(indent);
    printer.indentObjectsWith(indent);
    try {
      Files.writeString(to, JSON.writer().with(printer).writeValueAsString(json) + "\n");
    } catch (IOException e) {
      throw new InvalidInputException(to + " cannot be written: " + e, e);
    }
  }

  @Override
  public String toString() {
    return "Notebook[" + file.getFileName() + ", " + cells().size() + " cells of code]";
  }
}
