package dev.fettle.recipes;

import dev.fettle.internal.FileErrors;
import dev.fettle.internal.checkpoint.AtomicFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/** A run's metrics as comma-separated values: a line for each step, a column for each metric, empty where a step has none. */
final class CsvLog implements RunListener {
  private final Path file;
  private final Set<String> columns = new LinkedHashSet<>();
  private final List<Run.Step> steps = new ArrayList<>();

  /** A file that is written or replaced when a run begins. */
  CsvLog(Path file) {
    this.file = file;
    AtomicFiles.rehearseFile(file);
  }

  @Override
  public void begin(Run run) {
    columns.clear();
    columns.add("step");
    columns.addAll(run.metrics());
    steps.clear();
    steps.addAll(run.steps());
    rewrite();
  }

  @Override
  public void step(Run.Step step) {
    steps.add(step);
    if (columns.addAll(step.metrics().keySet())) {
      // A metric that no earlier step had, such as the first validation's.
      rewrite();
      return;
    }
    try {
      Files.writeString(file, line(step), StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw FileErrors.unsaved(file, e);
    }
  }

  private void rewrite() {
    String text = String.join(",", columns) + "\n" + steps.stream().map(this::line).collect(Collectors.joining());
    AtomicFiles.writeText(file, text);
  }

  private String line(Run.Step step) {
    return columns.stream().map(name -> text(step.value(name))).collect(Collectors.joining(",")) + "\n";
  }

  private static String text(double value) {
    return Double.isNaN(value) ? "" : value == Math.rint(value) && Math.abs(value) < 1e15 ? String.valueOf((long) value)
        : String.valueOf(value);
  }
}
