//JAVA 17+
//DEPS dev.fettle:fettle-examples:0.1.0-SNAPSHOT

package dev.fettle.examples.notebook;

import dev.fettle.InvalidInputException;
import dev.fettle.examples.Command;
import dev.fettle.examples.Options;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Says where notebooks that Jupyter has run show something else than the saved ones of the same name. */
public final class CompareNotebooks {
  private static final Command COMMAND = new Command("CompareNotebooks",
      "Says where notebooks that Jupyter has run show something else than the saved ones. Exit code 1 if anything differs.")
      .argument("SAVED", "the directory of the saved notebooks")
      .argument("RUN", "the directory of the others; by default the same");

  private CompareNotebooks() {}

  public static void main(String[] args) {
    COMMAND.main(args, CompareNotebooks::compare);
  }

  private static void compare(Options options, PrintStream out) {
    Path saved = Path.of(options.argument(0, "."));
    int failures = 0;
    for (Path file : RunNotebooks.files(Path.of(options.argument(1, saved.toString())))) {
      List<String> differences = differences(Notebook.read(saved.resolve(file.getFileName())), Notebook.read(file));
      out.println(file.getFileName() + (differences.isEmpty() ? ": the same" : ": differs"));
      differences.forEach(out::println);
      failures += differences.size();
    }
    if (failures > 0) {
      throw new InvalidInputException(failures + " differences");
    }
  }

  /** What differs, cell by cell; empty if nothing does. */
  static List<String> differences(Notebook saved, Notebook run) {
    List<Cell> expected = saved.cells();
    List<Cell> actual = run.cells();
    if (expected.size() != actual.size()) {
      return List.of(actual.size() + " cells of code, saved are " + expected.size());
    }
    List<String> all = new ArrayList<>();
    for (int i = 0; i < expected.size(); i++) {
      String where = "cell " + (i + 1) + " of code: ";
      if (!expected.get(i).isForKernel()) {
        Likeness.differences(expected.get(i), actual.get(i).outputs()).forEach(d -> all.add(where + d));
      }
    }
    return all;
  }
}
