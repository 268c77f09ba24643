package dev.fettle.internal.recipe;

import dev.fettle.Batches;
import dev.fettle.DataPosition;
import dev.fettle.Run;
import dev.fettle.Training;
import dev.fettle.internal.Scratch;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The weights that a run keeps: those of the best validation, and those to go on from after an interruption. */
public final class Checkpoints implements AutoCloseable {
  private final Training training;
  private final Optional<Path> directory;
  private Scratch temporary;
  private double least = Double.POSITIVE_INFINITY;
  private long best;
  private int failures;

  /** Checkpoints in a run's directory; without one, the best weights are in a temporary directory until the end. */
  public Checkpoints(Training training, Optional<Path> directory) {
    this.training = training;
    this.directory = directory;
  }

  /** The run's files, if it has a directory; an interrupted run's state is loaded. */
  public Optional<RunFiles> files(String recipe, Map<String, Object> settings) {
    return directory.map(d -> new RunFiles(d, recipe, training, settings));
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

  /** Loads the best weights, and gives the step that they are from; 0 if nothing was validated. */
  public long restoreBest(long steps) {
    if (best > 0 && best != steps) {
      training.loadState(kept());
    }
    return best;
  }

  private Path kept() {
    if (directory.isPresent()) {
      return directory.get().resolve("best");
    }
    temporary = temporary == null ? new Scratch() : temporary;
    return temporary.resolve("best");
  }

  @Override
  public void close() {
    if (temporary != null) {
      temporary.close();
    }
  }
}
