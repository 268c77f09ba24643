package dev.fettle.recipes;

import dev.fettle.AdamW;
import dev.fettle.NumericException;
import dev.fettle.Schedule;
import dev.fettle.Training;
import dev.fettle.internal.OneLine;
import dev.fettle.internal.Positive;
import java.util.Objects;
import java.util.function.ObjDoubleConsumer;

/**
 * One training run of a {@link Comparison}: what its loop works on. A loop takes {@link #steps()} optimizer steps with
 * {@link #settings()} and calls {@link #done} after each. Used by the one thread that the loop runs on.
 */
public final class Trial {
  private final Training training;
  private final double learningRate;
  private final long seed;
  private final int steps;
  private final Schedule schedule;
  private final ObjDoubleConsumer<Long> done;
  private int made;

  Trial(Training training, double learningRate, long seed, int steps, ObjDoubleConsumer<Long> done) {
    this.training = Objects.requireNonNull(training, "training");
    this.learningRate = learningRate;
    this.seed = seed;
    this.steps = steps;
    this.schedule = Schedule.linear(learningRate, steps).warmup((int) Math.ceil(Sft.WARMUP * steps));
    this.done = done;
  }

  /** One without a comparison, to try a loop by itself. */
  public static Trial of(Training training, double learningRate, long seed, int steps) {
    return new Trial(training, AdamW.learningRate(learningRate).learningRate(), seed, Positive.of("steps", steps),
        (tokens, loss) -> { });
  }

  /** The training, begun for this run. */
  public Training training() {
    return training;
  }

  /** The highest learning rate. */
  public double learningRate() {
    return learningRate;
  }

  /** The seed of this run: of the order of the data and of all else that is random in the loop. */
  public long seed() {
    return seed;
  }

  /** How many steps to take. */
  public int steps() {
    return steps;
  }

  /**
   * AdamW for the next step: the learning rate rises during the first twentieth of the steps, then falls evenly to 0. A
   * loop with another schedule starts from {@link #learningRate()}.
   */
  public AdamW settings() {
    return AdamW.learningRate(schedule.at(made));
  }

  /**
   * Notes a step.
   *
   * @param loss its mean loss
   * @param tokens how many tokens it read
   * @throws NumericException if the loss is not finite: the run counts as diverged
   */
  public void done(double loss, long tokens) {
    made++;
    done.accept(tokens, loss);
    if (!Double.isFinite(loss)) {
      throw new NumericException("step " + made + ": the loss is " + loss);
    }
  }

  @Override
  public String toString() {
    return OneLine.of("Trial", "learning rate " + learningRate + ", seed " + seed + ", step " + made + " of " + steps);
  }
}
