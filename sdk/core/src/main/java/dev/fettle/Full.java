package dev.fettle;

import dev.fettle.internal.NoNulls;
import java.util.List;

/**
 * Trains weights themselves, all of a model or some. Each training then has those weights of its own: 32-bit ones, and a
 * copy in the compute type where that is bf16. Immutable; each method returns a changed copy.
 */
public final class Full implements Tuning {
  private final List<Modules> modules;
  private final ParameterGroup rate;

  private Full(List<Modules> modules, ParameterGroup rate) {
    this.modules = modules;
    this.rate = rate;
  }

  /** Trains every weight of the model. */
  public static Full all() {
    return new Full(List.of(), ParameterGroup.OF_STEP);
  }

  /**
   * Trains the weights and biases of these modules; the rest is frozen, and the backward pass stops below the lowest of
   * them. Where a model's input and output embedding are one weight, {@link Modules#lmHead()} alone unties them: the
   * output embedding becomes a weight of its own, and the model is saved so; with {@link Modules#embeddings()}, or these
   * alone, the one weight is trained.
   *
   * @throws InvalidInputException if none is given; {@link BaseModel#tune} throws it for one that names nothing in the
   *     model
   */
  public static Full of(Modules... chosen) {
    if (NoNulls.in(chosen, "chosen").length == 0) {
      throw new InvalidInputException("of(): name at least one choice of modules, or use Full.all()");
    }
    return new Full(List.of(chosen), ParameterGroup.OF_STEP);
  }

  /**
   * Steps these weights with a multiple of each step's learning rate. Default 1.
   *
   * @throws InvalidInputException unless it is more than 0
   */
  public Full learningRateFactor(double factor) {
    return new Full(modules, rate.factor(factor));
  }

  /**
   * Steps these weights with a learning rate of their own, whatever each step's; no schedule changes it.
   *
   * @throws InvalidInputException unless it is more than 0
   */
  public Full learningRate(double value) {
    return new Full(modules, rate.learningRate(value));
  }

  /** Gives these weights a decay of their own, whatever each step's. */
  public Full weightDecay(double value) {
    return new Full(modules, rate.weightDecay(value));
  }

  /** What is trained; empty for every weight. */
  public List<Modules> modules() {
    return modules;
  }

  /** How a step's settings apply to these weights. */
  public ParameterGroup rate() {
    return rate;
  }

  @Override
  public String toString() {
    String on = modules.isEmpty() ? "all" : modules.size() == 1 ? modules.get(0).toString() : modules.toString();
    String rates = rate.toString();
    String shown = on.length() > (rates.isEmpty() ? 60 : 30) ? modules.size() + " choices" : on;
    return "Full[" + shown + (rates.isEmpty() ? "" : ", " + rates) + "]";
  }
}
