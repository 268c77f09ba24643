package dev.fettle.internal.data;

import dev.fettle.Example;
import dev.fettle.InvalidInputException;
import dev.fettle.internal.FileErrors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;

/**
 * Files of JSON Lines, one after the other.
 *
 * @param form makes an example of a line in a form of the caller's own; {@code null} for those we know
 */
record JsonlSource(List<Path> files, Function<? super Map<String, Object>, ? extends Example> form) implements Source {
  /** The files, which exist, can be read and are not empty. */
  static List<Path> checked(List<Path> files) {
    if (files.isEmpty()) {
      throw new InvalidInputException("no file: give at least one path of a JSON Lines file");
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
        throw withoutExample(file);
      }
    }
    return List.copyOf(files);
  }

  private static long size(Path file) {
    try {
      return Files.size(file);
    } catch (IOException e) {
      throw FileErrors.unread(file, e);
    }
  }

  private static InvalidInputException withoutExample(Path file) {
    return new InvalidInputException(file + " is empty: it holds no example. Write one JSON object a line");
  }

  @Override
  public Cursor open(long pass) {
    return new FilesCursor(files, form);
  }

  @Override
  public boolean sameEachPass() {
    return true;
  }

  @Override
  public String fingerprint() {
    StringBuilder text = new StringBuilder(form == null ? "jsonl(" : "jsonl(own form");
    for (Path file : files) {
      text.append(' ').append(file.getFileName()).append(' ').append(size(file));
    }
    return text.append(')').toString();
  }

  @Override
  public String toString() {
    String name = String.valueOf(files.get(0).getFileName());
    return files.size() == 1 ? name : name + " and " + (files.size() - 1) + " more";
  }

  private static final class FilesCursor implements Cursor {
    private final List<Path> files;
    private final Function<? super Map<String, Object>, ? extends Example> form;
    private int opened;
    private Lines lines;
    private boolean found;
    private final Leftovers leftovers = new Leftovers();

    FilesCursor(List<Path> files, Function<? super Map<String, Object>, ? extends Example> form) {
      this.files = files;
      this.form = form;
    }

    @Override
    public Item next() {
      while (lines != null || opened < files.size()) {
        if (lines == null) {
          lines = new Lines(files.get(opened));
          opened++;
          found = false;
        }
        String line = lines.next();
        if (line == null) {
          lines = null;
          leftovers.say(files.get(opened - 1));
          if (!found) {
            throw withoutExample(files.get(opened - 1));
          }
        } else if (!line.isBlank()) {
          found = true;
          return item(line);
        }
      }
      return null;
    }

    private Item item(String line) {
      String origin = lines.origin();
      try {
        return new Item(form == null ? JsonForms.example(line, leftovers) : JsonForms.example(line, form), origin);
      } catch (InvalidInputException e) {
        close();
        throw new InvalidInputException(origin + ": " + e.getMessage() + ". The line: " + JsonForms.excerpt(line),
            e.getCause());
      }
    }

    @Override
    public void close() {
      opened = files.size();
      if (lines != null) {
        lines.close();
        lines = null;
      }
    }
  }
}
