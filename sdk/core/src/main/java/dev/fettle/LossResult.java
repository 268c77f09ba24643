package dev.fettle;

import dev.fettle.internal.NoNulls;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What a pass over a batch gives.
 *
 * @param loss the loss, summed over all tokens, in nats
 * @param logprobs for each datum the logprob of each of {@link Datum#targets()}; after {@link Training#forward} of all, after
 *     {@link Training#forwardBackward} of those that take part in the loss and 0 elsewhere
 * @param weight the sum of the weights, or the number of positions in the loss where there are no weights
 * @param metrics further figures by name; {@code loss:sum} is always among them
 */
public record LossResult(double loss, List<float[]> logprobs, double weight, Map<String, Double> metrics) {
  public LossResult {
    logprobs = List.copyOf(NoNulls.in(logprobs, "logprobs"));
    metrics = Map.copyOf(NoNulls.in(metrics, "metrics"));
  }

  /** The loss per unit of weight: of a cross-entropy with weights 0 and 1, the mean negative log-likelihood. */
  public double meanLoss() {
    return loss / weight;
  }

  @Override
  public String toString() {
    return String.format(Locale.ROOT, "LossResult[loss %.4f, mean %.4f, %d sequences]", loss, meanLoss(), logprobs.size());
  }
}
