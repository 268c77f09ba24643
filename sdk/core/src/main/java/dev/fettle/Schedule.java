package dev.fettle;

/**
 * A learning rate for each step. With a warm-up of {@code w} steps the rate rises evenly, {@code (step + 1) / w} of the
 * peak at step {@code step}; what follows runs over the remaining steps. A warm-up of all steps ends at the peak, and after
 * the last step every schedule stays at its rate. Immutable.
 */
public final class Schedule {
  private enum Shape { CONSTANT, LINEAR, COSINE }

  private final Shape shape;
  private final double peak;
  private final int steps;
  private final int warmup;

  private Schedule(Shape shape, double peak, int steps, int warmup) {
    if (!(peak >= 0 && peak < Double.POSITIVE_INFINITY)) {
      throw new InvalidInputException("learning rate " + peak + ": give a finite number, at least 0");
    }
    if (steps < 1) {
      throw new InvalidInputException("steps " + steps + ": give at least 1");
    }
    if (warmup < 0 || warmup > steps) {
      throw new InvalidInputException("warmup " + warmup + ": give 0 to the number of steps, " + steps);
    }
    this.shape = shape;
    this.peak = peak;
    this.steps = steps;
    this.warmup = warmup;
  }

  /** The same rate at every step. */
  public static Schedule constant(double learningRate) {
    return new Schedule(Shape.CONSTANT, learningRate, Integer.MAX_VALUE, 0);
  }

  /** Falls evenly: {@code 1 - step / steps} of the peak. */
  public static Schedule linear(double learningRate, int steps) {
    return new Schedule(Shape.LINEAR, learningRate, steps, 0);
  }

  /** Falls as half a cosine: {@code (1 + cos(pi step / steps)) / 2} of the peak. */
  public static Schedule cosine(double learningRate, int steps) {
    return new Schedule(Shape.COSINE, learningRate, steps, 0);
  }

  /**
   * With a warm-up. Default 0 steps.
   *
   * @throws InvalidInputException if it is negative or longer than the schedule
   */
  public Schedule warmup(int warmupSteps) {
    return new Schedule(shape, peak, steps, warmupSteps);
  }

  /**
   * The learning rate of a step, counted from 0; that of the last step for all later ones.
   *
   * @throws InvalidInputException if the step is negative
   */
  public double at(long step) {
    if (step < 0) {
      throw new InvalidInputException("step " + step + ": steps are counted from 0");
    }
    long within = Math.min(step, steps - 1L);
    if (within < warmup) {
      // The fraction first: 0.1 * 3 / 3 is more than 0.1.
      return peak * ((within + 1.0) / warmup);
    }
    double done = (double) (within - warmup) / (steps - warmup);
    return switch (shape) {
      case CONSTANT -> peak;
      case LINEAR -> peak * (1 - done);
      case COSINE -> peak * 0.5 * (1 + Math.cos(Math.PI * done));
    };
  }

  @Override
  public String toString() {
    String name = shape.name().toLowerCase(java.util.Locale.ROOT);
    return "Schedule[" + name + ", peak " + peak + (warmup == 0 ? "" : ", warm-up " + warmup) + "]";
  }
}
