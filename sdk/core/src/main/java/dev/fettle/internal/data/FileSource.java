package dev.fettle.internal.data;

import dev.fettle.Example;
import dev.fettle.InvalidInputException;
import dev.fettle.internal.FileErrors;
import dev.fettle.internal.json.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;

/**
 * Files of rows, one after the other.
 *
 * @param form makes an example of a row in a form of the caller's own; {@code null} for those we know
 */
record FileSource(List<Path> files, Format format, Fields fields, Function<? super Map<String, Object>, ? extends Example> form)
    implements Source {
  FileSource(List<Path> files, Format format, Function<? super Map<String, Object>, ? extends Example> form) {
    this(checked(files, format), format, Fields.NONE, form);
  }

  /** The files, which exist, can be read and are not empty. */
  static List<Path> checked(List<Path> files, Format format) {
    if (files.isEmpty()) {
      throw new InvalidInputException("no file: give at least one path");
    }
    for (Path file : files) {
      Objects.requireNonNull(file, "file");
      String wrong = !Files.exists(file) ? "does not exist, seen from " + Path.of("").toAbsolutePath()
          : Files.isDirectory(file) ? "is a directory; give the files in it"
          : !Files.isReadable(file) ? "may not be read by this user"
          : null;
      if (wrong != null) {
        throw new InvalidInputException(file + " " + wrong);
      }
      if (size(file) == 0) {
        throw withoutExample(file, format);
      }
    }
    format.require(files.get(0).toString());
    return List.copyOf(files);
  }

  private static long size(Path file) {
    try {
      return Files.size(file);
    } catch (IOException e) {
      throw FileErrors.unread(file, e);
    }
  }

  private static InvalidInputException withoutExample(Path file, Format format) {
    return new InvalidInputException(file + " is empty: it holds no example. " + format.form());
  }

  Source with(Fields mapping) {
    if (form != null) {
      throw new InvalidInputException(this + ": fields and a function exclude each other: the function may read any column");
    }
    if (!fields.isEmpty()) {
      throw new InvalidInputException(this + ": " + fields + " is set already; give all fields in one call");
    }
    return new FileSource(files, format, mapping, null);
  }

  @Override
  public Cursor open(long pass) {
    return new FilesCursor();
  }

  @Override
  public boolean sameEachPass() {
    return true;
  }

  @Override
  public String fingerprint() {
    StringBuilder text = new StringBuilder(format.name().toLowerCase(Locale.ROOT)).append(form == null ? "(" : "(own form");
    for (Path file : files) {
      text.append(' ').append(file.getFileName()).append(' ').append(size(file));
    }
    return text.append(fields.isEmpty() ? "" : " " + fields).append(')').toString();
  }

  @Override
  public String toString() {
    String name = String.valueOf(files.get(0).getFileName());
    return files.size() == 1 ? name : name + " and " + (files.size() - 1) + " more";
  }

  private final class FilesCursor implements Cursor {
    private final Leftovers leftovers = new Leftovers();
    private int opened;
    private Rows rows;
    private boolean found;
    private boolean columnsKnown = fields.isEmpty();

    @Override
    public Item next() {
      while (rows != null || opened < files.size()) {
        if (rows == null) {
          rows = format.open(files.get(opened));
          opened++;
          found = false;
        }
        JsonNode row = rows.next();
        if (row != null) {
          found = true;
          return item(row);
        }
        rows = null;
        leftovers.say(files.get(opened - 1), format);
        if (!found) {
          throw withoutExample(files.get(opened - 1), format);
        }
      }
      return null;
    }

    private Item item(JsonNode row) {
      try {
        if (!columnsKnown) {
          fields.requireColumns(row, files, format);
          columnsKnown = true;
        }
        Item item = new Item(form == null ? RowForms.example(row, fields, leftovers) : RowForms.example(row, form), rows.origin());
        leftovers.row(files.get(opened - 1), format);
        return item;
      } catch (InvalidInputException e) {
        InvalidInputException wrong = rows.wrong(e.getMessage() + (fields.isEmpty() ? "" : " (" + fields + ")"), e.getCause());
        close();
        throw wrong;
      }
    }

    @Override
    public void close() {
      if (rows != null) {
        rows.close();
        rows = null;
        leftovers.say(files.get(opened - 1), format);
      }
      opened = files.size();
    }
  }
}
