package dev.fettle.internal;

import dev.fettle.Batch;
import dev.fettle.CustomLoss;
import dev.fettle.Datum;
import dev.fettle.InvalidInputException;
import dev.fettle.LossResult;
import dev.fettle.NumericException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A loss of the caller's own in two passes: forward for the logprobs, then a cross-entropy whose weights are the
 * derivative by the logprobs, negated.
 *
 * @param result of the batch
 * @param surrogate what goes backward
 */
public record CustomPass(LossResult result, Batch surrogate) {
  /** The data without what the caller's loss alone understands. */
  public static Batch unweighted(Batch batch) {
    return Batch.of(batch.data().stream()
        .map(d -> d.withWeights(new float[d.targets().length])).toList());
  }

  /**
   * Calls the loss.
   *
   * @param forward the logprobs of all positions
   * @throws InvalidInputException if what it returns does not fit the batch
   * @throws NumericException if it is not finite
   */
  public static CustomPass of(CustomLoss loss, Batch batch, LossResult forward) {
    CustomLoss.Value value = loss.of(batch.data(), forward.logprobs());
    if (value == null) {
      throw new InvalidInputException("the custom loss returned null");
    }
    if (!Double.isFinite(value.loss())) {
      throw new NumericException("the custom loss is " + value.loss() + "; the gradient is as it was");
    }
    if (value.gradient().size() != batch.size()) {
      throw new InvalidInputException("the custom loss gave " + value.gradient().size() + " gradients for "
          + batch.size() + " data");
    }
    List<Datum> surrogate = new ArrayList<>();
    int positions = 0;
    for (int i = 0; i < batch.size(); i++) {
      surrogate.add(negated(batch.data().get(i), value.gradient().get(i), i));
      positions += batch.data().get(i).length();
    }
    Map<String, Double> metrics = new HashMap<>(value.metrics());
    metrics.put("loss:sum", value.loss());
    return new CustomPass(new LossResult(value.loss(), forward.logprobs(), positions, metrics), Batch.of(surrogate));
  }

  private static Datum negated(Datum datum, float[] gradient, int index) {
    if (gradient.length != datum.targets().length) {
      throw new InvalidInputException("gradient[" + index + "] of the custom loss has " + gradient.length
          + " values for " + datum.targets().length + " targets");
    }
    float[] weights = new float[gradient.length];
    for (int j = 0; j < gradient.length; j++) {
      if (!Float.isFinite(gradient[j])) {
        throw new NumericException("gradient[" + index + "][" + j + "] of the custom loss is " + gradient[j]);
      }
      weights[j] = -gradient[j];
    }
    return datum.withWeights(weights);
  }

  /** Whether anything goes backward. */
  public boolean trains() {
    return surrogate.data().stream().anyMatch(d -> d.trainedTokens() > 0);
  }
}
