//JAVA 17+
//DEPS dev.fettle:fettle-examples:0.1.0-SNAPSHOT

package dev.fettle.examples.notebook;

import dev.fettle.FettleException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Says where notebooks that Jupyter has run show something else than the saved ones of the same name. */
public final class CompareNotebooks {
  private CompareNotebooks() {}

  /** With the directory of the saved notebooks and that of the others. Exit code 1 if anything differs. */
  public static void main(String[] args) {
    int failures = 0;
    try {
      for (Path file : RunNotebooks.files(Path.of(args[1]))) {
        List<String> differences = differences(Notebook.read(Path.of(args[0]).resolve(file.getFileName())), Notebook.read(file));
        System.out.println(file.getFileName() + (differences.isEmpty() ? ": the same" : ": differs"));
        differences.forEach(System.out::println);
        failures += differences.size();
      }
    } catch (FettleException e) {
      System.err.println(e.getMessage());
      failures++;
    }
    System.exit(failures == 0 ? 0 : 1);
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
