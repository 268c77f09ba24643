package dev.fettle.internal.remote;

import dev.fettle.Batch;
import dev.fettle.Datum;
import dev.fettle.InvalidInputException;
import dev.fettle.Loss;
import dev.fettle.LossResult;
import dev.fettle.NumericException;
import dev.fettle.internal.TokenLoss;
import dev.fettle.internal.wire.ModelInput;
import dev.fettle.internal.wire.Passes;
import dev.fettle.internal.wire.TensorData;
import dev.fettle.internal.wire.WireException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Batches and losses as the protocol has them, and what comes of them. */
final class PassData {
  private static final String LOGPROBS = "logprobs";
  private static final String LOSS = "loss:sum";

  private PassData() {}

  static String name(Loss loss) {
    if (loss instanceof Loss.CrossEntropy) {
      return "cross_entropy";
    } else if (loss instanceof Loss.ImportanceSampling) {
      return "importance_sampling";
    } else if (loss instanceof Loss.Ppo) {
      return "ppo";
    } else if (loss instanceof Loss.Cispo) {
      return "cispo";
    } else if (loss instanceof Loss.Dro) {
      return "dro";
    }
    throw new InvalidInputException(loss + " cannot be asked of a service");
  }

  static Map<String, Double> config(Loss loss) {
    if (loss instanceof Loss.Ppo ppo) {
      return Map.of("clip_low_threshold", ppo.low(), "clip_high_threshold", ppo.high());
    } else if (loss instanceof Loss.Cispo cispo) {
      return Map.of("clip_low_threshold", cispo.low(), "clip_high_threshold", cispo.high());
    }
    return loss instanceof Loss.Dro dro ? Map.of("beta", dro.beta()) : null;
  }

  static List<Passes.Datum> data(Batch batch, Loss loss) {
    return batch.data().stream().map(d -> new Passes.Datum(ModelInput.of(d.inputs()), inputs(d, loss))).toList();
  }

  private static Map<String, TensorData> inputs(Datum datum, Loss loss) {
    if (datum.width() > 1) {
      return Map.of("target_tokens", TensorData.matrix(datum.width(), datum.targets()), "weights",
          TensorData.matrix(datum.width(), datum.weights()));
    }
    TensorData targets = TensorData.of(datum.targets());
    return loss instanceof Loss.CrossEntropy
        ? Map.of("target_tokens", targets, "weights", TensorData.of(datum.weights()))
        : Map.of("target_tokens", targets, LOGPROBS, TensorData.of(datum.logprobs()), "advantages",
            TensorData.of(datum.advantages()));
  }

  /** What a datum takes on its way, as the protocol estimates it. */
  static long bytes(Passes.Datum datum) {
    long bytes = 4L * datum.modelInput().tokens().length;
    for (TensorData tensor : datum.lossFnInputs().values()) {
      bytes += tensor.bytes();
    }
    return bytes;
  }

  /** Splits data into requests: so many data, and so many bytes, at most. One that is larger goes alone. */
  static List<List<Passes.Datum>> chunks(List<Passes.Datum> data, int most, long mostBytes) {
    List<List<Passes.Datum>> chunks = new ArrayList<>();
    List<Passes.Datum> chunk = new ArrayList<>();
    long bytes = 0;
    for (Passes.Datum datum : data) {
      long size = bytes(datum);
      if (!chunk.isEmpty() && (chunk.size() >= most || bytes + size > mostBytes)) {
        chunks.add(chunk);
        chunk = new ArrayList<>();
        bytes = 0;
      }
      chunk.add(datum);
      bytes += size;
    }
    chunks.add(chunk);
    return chunks;
  }

  /**
   * The result of a batch.
   *
   * @param required whether logprobs have to be there
   * @throws WireException if the outputs do not fit the batch
   */
  static LossResult result(Batch batch, Loss loss, List<Passes.Output> chunks, boolean required) {
    List<float[]> logprobs = new ArrayList<>();
    boolean all = true;
    for (Passes.Output chunk : chunks) {
      if (chunk.lossFnOutputs() == null) {
        throw new WireException("no loss_fn_outputs");
      }
      for (Map<String, TensorData> outputs : chunk.lossFnOutputs()) {
        TensorData values = outputs == null ? null : outputs.get(LOGPROBS);
        all &= values != null;
        logprobs.add(values == null ? null : values.asFloats());
      }
    }
    if (logprobs.size() != batch.size()) {
      throw new WireException("outputs of " + logprobs.size() + " data for a batch of " + batch.size());
    }
    for (int i = 0; i < batch.size(); i++) {
      int length = batch.data().get(i).targets().length;
      if (logprobs.get(i) != null && logprobs.get(i).length != length) {
        throw new WireException(logprobs.get(i).length + " logprobs of data[" + i + "], which has " + length
            + " targets");
      }
      if (logprobs.get(i) == null) {
        logprobs.set(i, new float[length]);
      }
    }
    Map<String, Double> metrics = new HashMap<>(Metrics.combine(chunks));
    Double said = metrics.get(LOSS);
    if (!all && (required || said == null)) {
      throw new WireException("an output without logprobs");
    }
    double[] sums = sums(batch, loss, logprobs);
    double value = said == null ? sums[0] : said;
    if (!Double.isFinite(value)) {
      throw new NumericException("the loss is " + value + ". The gradient on the service may hold it: begin anew from a "
          + "state saved before, with a lower learning rate");
    }
    metrics.put(LOSS, value);
    return new LossResult(value, logprobs, sums[1], metrics);
  }

  /** The loss and the weight of a batch. */
  private static double[] sums(Batch batch, Loss loss, List<float[]> logprobs) {
    TokenLoss formula = TokenLoss.of(loss);
    boolean supervised = loss instanceof Loss.CrossEntropy;
    double sum = 0;
    double weight = 0;
    for (int i = 0; i < batch.size(); i++) {
      Datum datum = batch.data().get(i);
      for (int at = 0; at < datum.targets().length; at++) {
        if (TokenLoss.takesPart(loss, datum, at)) {
          double a = supervised ? datum.weights()[at] : datum.advantages()[at];
          sum += formula.value(logprobs.get(i)[at], supervised ? 0 : datum.logprobs()[at], a);
          weight += supervised ? a : 1;
        }
      }
    }
    return new double[] {sum, weight};
  }
}
