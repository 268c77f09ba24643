package dev.fettle;

import java.util.Objects;
import java.util.OptionalDouble;

/**
 * How the settings of an optimizer step apply to a part of what is trained.
 *
 * @param learningRate the part's own learning rate, whatever the step's; empty, the default, for the step's
 * @param factor what the step's learning rate is multiplied by where the part has none of its own, default 1
 * @param weightDecay the part's own weight decay; empty, the default, for the step's
 */
public record ParameterGroup(OptionalDouble learningRate, double factor, OptionalDouble weightDecay) {
  /** That of the step. */
  public static final ParameterGroup OF_STEP = new ParameterGroup(OptionalDouble.empty(), 1, OptionalDouble.empty());

  public ParameterGroup {
    Objects.requireNonNull(weightDecay, "weightDecay");
    if (Objects.requireNonNull(learningRate, "learningRate").isPresent()) {
      requirePositive("learningRate", learningRate.getAsDouble());
    }
    requirePositive("learningRateFactor", factor);
    if (weightDecay.isPresent() && !(weightDecay.getAsDouble() >= 0 && weightDecay.getAsDouble() <= 1e6)) {
      throw new InvalidInputException("weightDecay " + weightDecay.getAsDouble() + ": give at least 0 and at most 1e6");
    }
  }

  /** With a learning rate of its own. */
  ParameterGroup learningRate(double value) {
    return new ParameterGroup(OptionalDouble.of(value), 1, weightDecay);
  }

  /** With a multiple of the step's learning rate. */
  ParameterGroup factor(double value) {
    return new ParameterGroup(OptionalDouble.empty(), value, weightDecay);
  }

  /** With a weight decay of its own. */
  ParameterGroup weightDecay(double value) {
    return new ParameterGroup(learningRate, factor, OptionalDouble.of(value));
  }

  /** The settings of a step as they are for this part. */
  public AdamW of(AdamW step) {
    Objects.requireNonNull(step, "step");
    return new AdamW(learningRate.orElse(step.learningRate() * factor), step.beta1(), step.beta2(), step.eps(),
        weightDecay.orElse(step.weightDecay()), step.clipNorm());
  }

  static void requirePositive(String name, double value) {
    if (!(value > 0 && value <= 1e6)) {
      throw new InvalidInputException(name + " " + value + ": give more than 0 and at most 1e6; a part that is not to be "
          + "trained is left out");
    }
  }

  @Override
  public String toString() {
    String rate = learningRate.isPresent() ? "learning rate " + learningRate.getAsDouble()
        : factor == 1 ? "" : "learning rate x " + factor;
    String decay = weightDecay.isPresent() ? "decay " + weightDecay.getAsDouble() : "";
    return rate + (rate.isEmpty() || decay.isEmpty() ? "" : ", ") + decay;
  }
}
