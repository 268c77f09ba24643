package dev.fettle.recipes;

import dev.fettle.AdamW;
import dev.fettle.Training;
import java.nio.file.Path;
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
   * checkpoint; a second Ctrl-C ends it at once. Default nowhere.
   */
  public R directory(Path path) {
    directory = Objects.requireNonNull(path, "path");
    return self();
  }

  /**
   * Trains. The recipe's own method says what is rejected beside the directory.
   *
   * @throws dev.fettle.InvalidInputException if the directory holds another run or one that has ended, cannot be written, or
   *     is in use by another run
   */
  public abstract Run run();
}
