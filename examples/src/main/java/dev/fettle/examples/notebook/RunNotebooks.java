//JAVA 17+
//DEPS dev.fettle:fettle-examples:0.1.0-SNAPSHOT

package dev.fettle.examples.notebook;

import dev.fettle.FettleException;
import dev.fettle.InvalidInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Runs notebooks, all of a directory or those named, and saves in them what their cells show. */
public final class RunNotebooks {
  private RunNotebooks() {}

  public static void main(String[] args) {
    try {
      for (Path file : args.length == 0 ? files(Path.of(".")) : Stream.of(args).map(Path::of).toList()) {
        Notebook notebook = Notebook.read(file);
        run(notebook);
        notebook.write(file);
        System.out.println(file + " saved");
      }
    } catch (FettleException e) {
      System.err.println(e.getMessage());
      System.exit(1);
    }
    System.exit(0);
  }

  /** The notebooks of a directory, by name. */
  static List<Path> files(Path directory) {
    try (Stream<Path> files = Files.list(directory)) {
      return files.filter(f -> f.toString().endsWith(".ipynb")).sorted().toList();
    } catch (IOException e) {
      throw new InvalidInputException(directory + " cannot be read: " + e, e);
    }
  }

  /**
   * Runs all cells of a notebook and puts into them what they show.
   *
   * @throws InvalidInputException if one fails; the message names it
   */
  static void run(Notebook notebook) {
    int number = 0;
    try (NotebookShell shell = new NotebookShell()) {
      for (Cell cell : notebook.cells()) {
        number++;
        cell.show(number, shell.run(cell.java()));
      }
    } catch (InvalidInputException e) {
      throw new InvalidInputException(notebook.file() + ", cell " + number + " of code: " + e.getMessage(), e);
    }
  }
}
