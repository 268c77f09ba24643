package dev.fettle.internal.recipe;

import dev.fettle.Batches;
import dev.fettle.DataPosition;
import dev.fettle.Destination;
import dev.fettle.InvalidInputException;
import dev.fettle.Training;
import dev.fettle.internal.TempDirectory;
import dev.fettle.recipes.Run;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The weights that a run keeps: those of the best validation, and those to go on from after an interruption. A run's
 * directory is nobody else's until this is closed.
 */
public final class Checkpoints implements AutoCloseable {
  /** How many checkpoints a run makes unless it is told otherwise. */
  public static final int COUNT = 10;
  private static final int FINGERPRINT = 16;

  private final Training training;
  private final Optional<Path> directory;
  private final Optional<Destination> place;
  private final boolean overwrite;
  private TempDirectory temporary;
  private double least = Double.POSITIVE_INFINITY;
  private long best;
  private int failures;

  /**
   * Checkpoints in a run's directory; without one, the best weights are in a temporary directory until the end.
   *
   * @param directory null if there is none
   * @param overwrite whether the run begins anew where another one was
   * @throws InvalidInputException if nothing can be written there, or another run has it
   */
  public Checkpoints(Training training, Path directory, boolean overwrite) {
    this.training = training;
    this.overwrite = overwrite;
    this.directory = Optional.ofNullable(directory);
    this.place = this.directory.map(Destination::within);
  }

  /** The run's files, if it has a directory; an interrupted run's state is loaded. */
  public Optional<RunFiles> files(String recipe, Map<String, Object> settings) {
    return directory.map(d -> new RunFiles(d, recipe, training, settings, overwrite));
  }

  /** Remembers what the validations of earlier steps found. */
  public void restore(List<Run.Step> steps) {
    for (Run.Step step : steps) {
      double loss = step.value("validation_loss");
      if (!Double.isNaN(loss)) {
        note(loss, (long) step.value("step"));
      }
    }
  }

  /** The batches that are left to train on. */
  public Batches from(Batches batches, List<Run.Step> steps) {
    return steps.isEmpty() ? batches : batches.from(training.dataPosition().orElseThrow());
  }

  /** Keeps the weights if a validation loss is the least so far. */
  public void improve(double loss, long step) {
    if (note(loss, step)) {
      training.saveState(kept());
    }
  }

  private boolean note(double loss, long step) {
    boolean better = loss < least;
    failures = better ? 0 : failures + 1;
    least = better ? loss : least;
    best = better ? step : best;
    return better;
  }

  /** How often in a row the validation loss did not improve. */
  public int failures() {
    return failures;
  }

  /** Saves what the run could go on from. */
  public void save(DataPosition position) {
    directory.ifPresent(d -> training.saveState(RunFiles.checkpoint(d), position));
  }

  /**
   * Saves what a run whose data are made anew could go on from, if it is time to, or the process was told to end.
   *
   * @param every after how many steps it is time; 0 for a tenth of all
   * @param data a hash of them, in hexadecimal digits
   * @return whether the run is to stop here
   */
  public boolean stop(int steps, int total, int every, String data) {
    boolean stop = stopAsked();
    if (stop || steps % (every > 0 ? every : Math.max(1, total / COUNT)) == 0 || steps == total) {
      save(new DataPosition(steps, 0, 0, data.substring(0, FINGERPRINT)));
    }
    return stop && steps < total;
  }

  /** Whether the process was told to end and this run has a directory to be saved in; to be asked after each step. */
  public boolean stopAsked() {
    return place.map(Destination::stopAsked).orElse(false);
  }

  /** Loads the best weights, and gives the step that they are from; 0 if nothing was validated. */
  public long restoreBest(long steps) {
    if (best > 0 && best != steps) {
      training.loadState(kept());
    }
    return best;
  }

  private Path kept() {
    if (directory.isPresent()) {
      return RunFiles.best(directory.get());
    }
    temporary = temporary == null ? new TempDirectory() : temporary;
    return temporary.resolve("best");
  }

  @Override
  public void close() {
    place.ifPresent(Destination::close);
    if (temporary != null) {
      temporary.close();
    }
  }
}
