package dev.fettle;

import java.util.Locale;
import java.util.Objects;

/**
 * What {@link Training#step} gives.
 *
 * @param loss of the batch, before the weights changed
 * @param optim what the optimizer did
 */
public record StepResult(LossResult loss, OptimResult optim) {
  public StepResult {
    Objects.requireNonNull(loss, "loss");
    Objects.requireNonNull(optim, "optim");
  }

  @Override
  public String toString() {
    return String.format(Locale.ROOT, "StepResult[step %d, mean loss %.4f]", optim.step(), loss.meanLoss());
  }
}
