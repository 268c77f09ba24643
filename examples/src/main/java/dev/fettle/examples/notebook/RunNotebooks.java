//JAVA 17+
//DEPS dev.fettle:fettle-examples:0.1.0-SNAPSHOT

package dev.fettle.examples.notebook;

import dev.fettle.InvalidInputException;
import dev.fettle.examples.Command;
import dev.fettle.examples.Options;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Runs notebooks, all of a directory or those named, and saves in them what their cells show. */
public final class RunNotebooks {
  private static final Command COMMAND = new Command("RunNotebooks",
      "Runs notebooks, and saves in them what their cells show.")
      .argument("NOTEBOOK...", "those to run; by default all of this directory");

  private RunNotebooks() {}

  public static void main(String[] args) {
    COMMAND.main(args, RunNotebooks::save);
  }

  private static void save(Options options, PrintStream out) {
    // They show their progress as it is in a kernel.
    System.clearProperty("fettle.progress");
    List<Path> named = options.arguments().stream().map(Path::of).toList();
    for (Path file : named.isEmpty() ? files(Path.of(".")) : named) {
      Notebook notebook = Notebook.read(file);
      run(notebook);
      notebook.write(file);
      out.println(file + " saved");
    }
    // Threads of what the notebooks began may go on.
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
