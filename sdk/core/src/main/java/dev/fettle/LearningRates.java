package dev.fettle;

import java.util.Locale;
import java.util.Objects;

/** A rule for the learning rate, as the Tinker cookbook has it. */
public final class LearningRates {
  private LearningRates() {}

  /**
   * {@code 5e-5 x (10 for LoRA) x (2000 / hidden) ^ p}, with p = 0.781 for models of the Llama and 0.0775 for those of
   * the Qwen family. It does not depend on the rank.
   *
   * @param model the model's name, which must contain {@code llama} or {@code qwen}
   * @param hiddenSize the width of its residual stream
   * @param lora whether adapters are trained rather than all weights
   * @throws InvalidInputException for another family: start from 5e-4 for LoRA and 5e-5 for all weights
   */
  public static double suggest(String model, int hiddenSize, boolean lora) {
    String name = Objects.requireNonNull(model, "model").toLowerCase(Locale.ROOT);
    double power;
    if (name.contains("llama")) {
      power = 0.781;
    } else if (name.contains("qwen")) {
      power = 0.0775;
    } else {
      throw new InvalidInputException(model + ": the rule knows models of the Llama and Qwen families only; start from "
          + "5e-4 for LoRA, 5e-5 for all weights");
    }
    if (hiddenSize < 1) {
      throw new InvalidInputException("hiddenSize " + hiddenSize + ": give at least 1");
    }
    return 5e-5 * (lora ? 10 : 1) * Math.pow(2000.0 / hiddenSize, power);
  }
}
