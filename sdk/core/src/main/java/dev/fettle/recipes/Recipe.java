package dev.fettle.recipes;

import dev.fettle.AdamW;
import dev.fettle.Training;
import dev.fettle.internal.NoNulls;
import dev.fettle.internal.Positive;
import dev.fettle.internal.recipe.Checkpoints;
import dev.fettle.internal.recipe.Recorder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A whole training that is being set up: what all recipes have in common. Each method changes the recipe and returns it. Not
 * thread-safe, for one use.
 *
 * @param <R> the recipe itself
 */
public abstract sealed class Recipe<R extends Recipe<R>> permits PreferenceRecipe, PromptRecipe, RewardModel, Sft {
  final Training training;
  double learningRate;
  AdamW optimizer = AdamW.standard();
  long seed;
  @Nullable Path directory;
  int saveEvery;
  private boolean overwrite;
  private final List<RunListener> listeners = new ArrayList<>();

  Recipe(Training training, double learningRate) {
    this.training = training;
    this.learningRate = learningRate;
  }

  @SuppressWarnings("unchecked")
  final R self() {
    return (R) this;
  }

  /** The highest learning rate. The recipe's own description has its default, and how the rate changes. */
  public R learningRate(double value) {
    learningRate = AdamW.learningRate(value).learningRate();
    return self();
  }

  /** Other settings of the optimizer; its learning rate is not used. Default {@link AdamW#standard()}. */
  public R optimizer(AdamW settings) {
    optimizer = Objects.requireNonNull(settings, "settings");
    return self();
  }

  /** Seeds the order of the data, and sampling where the recipe samples. Default 0. */
  public R seed(long value) {
    seed = value;
    return self();
  }

  /**
   * Where to keep {@code metrics.jsonl}, {@code run.json}, {@code report.html} and the checkpoint to resume from. If a run with
   * equal settings was interrupted there, {@link #run()} resumes it. Ctrl-C and SIGTERM then end the run after its step, with a
   * checkpoint; a second Ctrl-C ends it at once. The report is there from the first step on, and follows the run. Default nowhere.
   */
  public R directory(Path path) {
    directory = Objects.requireNonNull(path, "path");
    return self();
  }

  /**
   * Saves what an interrupted run goes on from after every {@code steps} steps. Default a tenth of all, of {@link Sft} as often
   * as it validates.
   */
  public R saveEvery(int steps) {
    saveEvery = Positive.of("saveEvery", steps);
    return self();
  }

  /**
   * Begins anew in the {@link #directory}, whatever run was there: its files are replaced when all has been checked. Default
   * not: a run that was interrupted there is resumed, and one that has ended is an error.
   */
  public R overwrite() {
    overwrite = true;
    return self();
  }

  /** Whether it begins anew where another run was. */
  final boolean isAnew() {
    return overwrite;
  }

  /** Tells these of the run's steps, after those that were given before. */
  public R listen(RunListener... told) {
    listeners.addAll(List.of(NoNulls.in(told, "told")));
    return self();
  }

  /** Gives another recipe, which does the work, all that was set here. */
  final <T extends Recipe<T>> T pass(T other) {
    Recipe<T> to = other;
    to.learningRate = learningRate;
    to.optimizer = optimizer;
    to.seed = seed;
    to.directory = directory;
    to.saveEvery = saveEvery;
    to.overwrite = overwrite;
    to.listeners.addAll(listeners);
    return other;
  }

  /** What the run keeps of its weights; its directory is checked and nobody else's from here on. */
  final Checkpoints checkpoints() {
    return new Checkpoints(training, directory, overwrite);
  }

  /**
   * The record of the run: its files where it has a directory, its progress line, its listeners. The state of an interrupted
   * run is loaded.
   *
   * @param name the recipe's
   * @param settings with which alone an interrupted run may go on
   * @param total how many steps there will be, or 0 if that is not known
   */
  final Recorder recorder(Checkpoints kept, String name, Map<String, Object> settings, long total) {
    return new Recorder(name, training, kept.files(name, settings), total, listeners);
  }

  /**
   * Trains. The recipe's own method says what is rejected beside the directory.
   *
   * @throws dev.fettle.InvalidInputException if the directory holds another run or one that has ended, cannot be written, or
   *     is in use by another run
   */
  public abstract Run run();
}
