package dev.fettle.recipes;

import java.nio.file.Path;
import java.util.Objects;

/**
 * Is told of a run's steps as they are made; see {@link Recipe#listen}. All calls come from the run's own thread, which waits
 * for them; what they throw ends the run. As a lambda it hears of steps alone:
 *
 * <pre>{@code
 * Sft.on(training).data(train).listen(step -> System.out.println(step.value("loss"))).run();
 * }</pre>
 *
 * <p>{@link #csv}, {@link #tensorBoard}, {@link ReportServer} and {@link RunMeters} are listeners.
 */
@FunctionalInterface
public interface RunListener {
  /**
   * The run begins, before its first step.
   *
   * @param run with the steps that it goes on from, if it was interrupted before; its ending is {@code running}
   */
  default void begin(Run run) {}

  /** A step was made; {@link Run} says which metrics it has. */
  void step(Run.Step step);

  /**
   * The run has ended; called once for each {@link #begin}, whether all steps were made, the process was told to end, or
   * something failed.
   *
   * @param run with all steps; its ending says which of these it was
   */
  default void end(Run run) {}

  /**
   * Writes comma-separated values, a line for each step and a column for each metric, empty where a step does not have it. The
   * file is replaced when a run begins, earlier steps of an interrupted run included.
   *
   * @throws dev.fettle.InvalidInputException if nothing can be written there
   */
  static RunListener csv(Path file) {
    return new CsvLog(Objects.requireNonNull(file, "file"));
  }

  /**
   * Writes event files for TensorBoard: a scalar of each metric at each step, under its name. Each run that begins or goes on
   * adds a file to the directory, as is usual there; {@code tensorboard --logdir} on a directory above compares runs.
   *
   * @throws dev.fettle.InvalidInputException if nothing can be written there
   */
  static RunListener tensorBoard(Path directory) {
    return new EventFile(Objects.requireNonNull(directory, "directory"));
  }
}
