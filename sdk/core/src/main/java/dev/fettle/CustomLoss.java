package dev.fettle;

import dev.fettle.internal.NoNulls;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** A loss of the caller's own, as a function of the targets' logprobs. */
@FunctionalInterface
public interface CustomLoss {
  /**
   * Computes the loss and its derivative.
   *
   * @param data the data of the batch
   * @param logprobs for each datum the logprob of each of {@link Datum#targets()}, in nats
   */
  Value of(List<Datum> data, List<float[]> logprobs);

  /**
   * What a custom loss returns.
   *
   * @param loss its value
   * @param gradient its derivative by each logprob, in the shape of {@code logprobs}
   * @param metrics figures to report beside the loss; often empty
   */
  record Value(double loss, List<float[]> gradient, Map<String, Double> metrics) {
    public Value {
      gradient = List.copyOf(NoNulls.in(gradient, "gradient"));
      metrics = Map.copyOf(NoNulls.in(metrics, "metrics"));
    }

    /** A value without metrics. */
    public static Value of(double loss, List<float[]> gradient) {
      return new Value(loss, gradient, Map.of());
    }

    @Override
    public String toString() {
      return String.format(Locale.ROOT, "Value[loss %.4f, %d sequences]", loss, gradient.size());
    }
  }
}
