package dev.fettle.internal.compare;

import dev.fettle.Batch;
import dev.fettle.Batches;
import dev.fettle.DataSummary;
import dev.fettle.Datum;
import dev.fettle.InvalidInputException;
import dev.fettle.LossResult;
import dev.fettle.Progress;
import dev.fettle.Training;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The negative log-likelihood of a trained token, in nats. */
public final class Nll {
  private final String name;
  private final Batches batches;
  private final DataSummary content;

  private Nll(String name, Batches batches, DataSummary content) {
    this.name = name;
    this.batches = batches;
    this.content = content;
  }

  /** Reads the batches once, so that broken ones are found at once. */
  public static Nll of(String name, Batches batches) {
    try {
      return new Nll(name, batches, batches.check(name + " data"));
    } catch (InvalidInputException e) {
      throw new InvalidInputException("the " + name + " data: " + e.getMessage(), e);
    }
  }

  /** What the examples hold. */
  public String sha256() {
    return content.sha256();
  }

  /** The mean over trained tokens. */
  public double mean(Training training) {
    return Arrays.stream(items(training)).average().orElseThrow();
  }

  /** A value for each sequence, scaled by its share of the tokens so that their mean is that over tokens. */
  public double[] items(Training training) {
    List<Double> sums = new ArrayList<>();
    double weight = 0;
    try (Progress progress = Progress.passing(name, content.batches())) {
      for (Batch batch : batches) {
        LossResult result = training.forward(batch);
        for (int i = 0; i < batch.size(); i++) {
          Datum datum = batch.data().get(i);
          float[] logprobs = result.logprobs().get(i);
          double sum = 0;
          for (int t = 0; t < datum.length(); t++) {
            if (datum.weights()[t] != 0) {
              sum -= datum.weights()[t] * (double) logprobs[t];
              weight += datum.weights()[t];
            }
          }
          sums.add(sum);
        }
        progress.step(result, batch.tokens());
      }
    }
    double scale = sums.size() / weight;
    return sums.stream().mapToDouble(sum -> sum * scale).toArray();
  }
}
