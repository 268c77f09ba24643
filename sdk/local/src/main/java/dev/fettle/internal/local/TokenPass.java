package dev.fettle.internal.local;

import dev.fettle.Batch;
import dev.fettle.Datum;
import dev.fettle.Loss;
import dev.fettle.LossResult;
import dev.fettle.NumericException;
import dev.fettle.internal.TokenLoss;
import dev.fettle.internal.model.ModelConfig;
import dev.fettle.internal.network.Dropout;
import dev.fettle.internal.network.Head;
import dev.fettle.internal.network.Network;
import dev.fettle.internal.network.Packing;
import dev.fettle.internal.network.SequenceParts;
import dev.fettle.internal.network.TargetRows;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Passes over a batch whose loss looks at one token at a time: forward, loss and, if asked for, backward, portion by portion,
 * which changes nothing but the order of a sum. On failure the gradient is what it was before.
 */
final class TokenPass {
  /** Tokens that go through the network at once, over all lanes, unless one sequence alone has more. */
  static final int MICRO_BATCH = Integer.getInteger("fettle.microbatch", 4096);

  private final Network network;
  private final TrainableModel tuned;
  private final MemoryPlanner memory;
  private final int lanes;
  private final int leastPart;

  TokenPass(Network network, TrainableModel tuned, MemoryPlanner memory) {
    this(network, tuned, memory, DataParallel.most(), SequenceParts.LEAST);
  }

  /**
   * With other lanes than this machine has.
   *
   * @param leastPart rows from which on a sequence is cut
   */
  TokenPass(Network network, TrainableModel tuned, MemoryPlanner memory, int lanes, int leastPart) {
    this.network = network;
    this.tuned = tuned;
    this.memory = memory;
    this.lanes = lanes;
    this.leastPart = leastPart;
  }

  /** The portions in which a batch goes through, on so many lanes at most. */
  static LengthBuckets portions(ModelConfig config, Batch batch, int most) {
    return portions(config, batch, all(batch), most, SequenceParts.LEAST);
  }

  private static LengthBuckets portions(ModelConfig config, Batch batch, List<Integer> data, int most, int leastPart) {
    if (!data.isEmpty() && data.size() < most && SequenceParts.canCut(config)) {
      return LengthBuckets.cut(data, d -> SequenceParts.cuts(config, batch.data().get(d).inputs().length, most / data.size(), leastPart));
    }
    int lanes = Math.max(1, Math.min(most, data.size()));
    return LengthBuckets.of(texts(batch), data, lanes, Math.max(1, MICRO_BATCH / lanes));
  }

  /** The logprobs of all positions, and the loss. */
  LossResult forward(Batch batch, Loss loss) {
    prepare(batch);
    Tally tally = new Tally(batch, loss);
    LengthBuckets portions = portions(network.config(), batch, all(batch), lanes, leastPart);
    try (LaneParts parts = new LaneParts(network.config(), portions)) {
      Step.each(portions, (lane, data) -> parts.run(lane, part -> {
        try (Scope step = new Scope()) {
          Packing packing = pack(batch, data, part);
          Network.Trace trace = network.forward(step, tuned.weights(), tuned.adapter(), packing, part, Dropout.NONE, Network.NOTHING);
          Positions all = Positions.all(batch, data, packing);
          Head head = new Head(tuned.weights(), tuned.adapter(), portions.lanes().size());
          tally.add(all, 0, head.logprobs(step, trace.output(), all.chosen()));
        }
      }));
    }
    return tally.result();
  }

  /** The loss; its gradient is added to what has accumulated. */
  LossResult forwardBackward(Batch batch, Loss loss, boolean accumulated, long pass) {
    prepare(batch);
    LengthBuckets portions = portions(network.config(), batch, inLoss(batch, loss), tuned.lanes(lanes), leastPart);
    try (Step step = new Step(tuned, portions, accumulated, pass); LaneParts parts = new LaneParts(network.config(), portions)) {
      Tally tally = new Tally(batch, loss);
      int kept = memory.firstKept(batch, tuned, accumulated);
      // Where the gradient is as large as the model, memory for logits is spared too.
      int heads = tuned.gradients().clearedInPlace() ? portions.lanes().size() : 2;
      step.each(portion -> parts.run(portion.lane(), part -> one(batch, loss, portion, part, tally, kept, heads)));
      LossResult result = tally.result();
      step.keep();
      return result;
    }
  }

  /** @param kept the first layer whose activations are kept for the backward pass */
  private void one(Batch batch, Loss loss, Step.Portion portion, Optional<SequenceParts.Part> part, Tally tally, int kept, int heads) {
    try (Scope step = new Scope()) {
      Packing packing = pack(batch, portion.items(), part);
      Positions chosen = Positions.inLoss(batch, loss, portion.items(), packing);
      Gradients into = portion.into();
      int lowest = tuned.lowestLayer();
      Network.Trace trace =
          network.forward(step, tuned.weights(), tuned.adapter(), packing, part, portion.dropout(), Network.from(lowest, kept));
      // Of a part no row may be in the loss.
      Tensor d = chosen.data().length == 0 ? step.zeros(network.type(), packing.rows(), network.config().hiddenSize())
          : new Head(tuned.weights(), tuned.adapter(), heads).gradient(step, trace.output(), packing.rows(), chosen.chosen(),
              (first, logprobs) -> tally.add(chosen, first, logprobs), into.weights(), into.adapters(), portion.overwrite());
      network.backward(step, trace, d, tuned.weights(), tuned.adapter(), into.weights(), into.adapters(), lowest,
          portion.overwrite());
    }
  }

  private void prepare(Batch batch) {
    network.prepare(batch.data().stream().mapToInt(Datum::length).max().orElse(1));
  }

  /** Those data of which any target takes part in the loss: the others need not go through. */
  private static List<Integer> inLoss(Batch batch, Loss loss) {
    return IntStream.range(0, batch.size()).filter(d -> IntStream.range(0, batch.data().get(d).targets().length)
        .anyMatch(i -> TokenLoss.takesPart(loss, batch.data().get(d), i))).boxed().toList();
  }

  private static List<Integer> all(Batch batch) {
    return IntStream.range(0, batch.size()).boxed().toList();
  }

  private static List<int[]> texts(Batch batch) {
    return batch.data().stream().map(Datum::inputs).toList();
  }

  private static Packing pack(Batch batch, List<Integer> data, Optional<SequenceParts.Part> part) {
    if (part.isPresent()) {
      return Packing.part(batch.data().get(data.get(0)).inputs(), part.get().from(), part.get().to());
    }
    return Packing.of(data.stream().map(i -> batch.data().get(i).inputs()).toList());
  }

  /**
   * Targets of a micro-batch, as far as their rows are in the packing.
   *
   * @param chosen the rows in the packing of those that count
   * @param data the datum of each target
   * @param at the place of each target within its datum
   */
  private record Positions(TargetRows chosen, int[] data, int[] at) {
    static Positions all(Batch batch, List<Integer> micro, Packing packing) {
      return where(batch, micro, packing, (datum, i) -> true);
    }

    static Positions inLoss(Batch batch, Loss loss, List<Integer> micro, Packing packing) {
      return where(batch, micro, packing, (datum, i) -> TokenLoss.takesPart(loss, datum, i));
    }

    private static Positions where(Batch batch, List<Integer> micro, Packing packing, Choice choice) {
      int[] rows = new int[packing.rows()];
      int[] first = new int[rows.length + 1];
      int[][] out = new int[3][micro.stream().mapToInt(m -> batch.data().get(m).targets().length).sum()];
      int n = 0;
      int targets = 0;
      for (int m = 0; m < micro.size(); m++) {
        Datum datum = batch.data().get(micro.get(m));
        for (int at = 0; at < datum.targets().length; at++) {
          int row = packing.starts()[m] + at / datum.width();
          if (row >= 0 && row < packing.rows() && choice.takes(datum, at)) {
            if (n == 0 || rows[n - 1] != row) {
              rows[n++] = row;
            }
            out[0][targets] = datum.targets()[at];
            out[1][targets] = micro.get(m);
            out[2][targets++] = at;
            first[n] = targets;
          }
        }
      }
      for (int i = 0; i < out.length; i++) {
        out[i] = Arrays.copyOf(out[i], targets);
      }
      return new Positions(new TargetRows(Arrays.copyOf(rows, n), Arrays.copyOf(first, n + 1), out[0]), out[1], out[2]);
    }

    @FunctionalInterface
    private interface Choice {
      boolean takes(Datum datum, int i);
    }
  }

  /** Collects logprobs, from which it makes the loss; lanes may add at once. */
  private static final class Tally {
    private final Batch batch;
    private final Loss loss;
    private final TokenLoss formula;
    private final List<float[]> logprobs;

    Tally(Batch batch, Loss loss) {
      this.batch = batch;
      this.loss = loss;
      this.formula = TokenLoss.of(loss);
      this.logprobs = batch.data().stream().map(d -> new float[d.targets().length]).toList();
    }

    /** Takes the logprobs of some targets and returns the derivative of the loss by them. */
    float[] add(Positions positions, int first, float[] values) {
      float[] derivative = new float[values.length];
      for (int i = 0; i < values.length; i++) {
        int d = positions.data()[first + i];
        int at = positions.at()[first + i];
        logprobs.get(d)[at] = values[i];
        if (counts(d, at)) {
          double value = formula.value(values[i], sampled(d, at), factor(d, at));
          derivative[i] = (float) formula.derivative(values[i], sampled(d, at), factor(d, at));
          if (!Double.isFinite(value) || !Float.isFinite(derivative[i])) {
            throw new NumericException("the loss at position " + at / batch.data().get(d).width() + " of data[" + d + "] is " + value
                + " (logprob " + values[i] + "); the gradient is as it was before this pass");
          }
        }
      }
      return derivative;
    }

    /** The loss, added up in the order of the batch, however it went through. */
    LossResult result() {
      double sum = 0;
      double weight = 0;
      for (int d = 0; d < batch.size(); d++) {
        for (int at = 0; at < batch.data().get(d).targets().length; at++) {
          if (counts(d, at)) {
            sum += formula.value(logprobs.get(d)[at], sampled(d, at), factor(d, at));
            weight += isSupervised() ? factor(d, at) : 1;
          }
        }
      }
      if (!Double.isFinite(sum)) {
        throw new NumericException("the loss is " + sum + "; the gradient is as it was before this pass");
      }
      return new LossResult(sum, logprobs, weight, Map.of("loss:sum", sum));
    }

    private boolean counts(int d, int at) {
      Datum datum = batch.data().get(d);
      return TokenLoss.takesPart(loss, datum, at);
    }

    /** The logprob with which the token was sampled, where the loss compares with it. */
    private double sampled(int d, int at) {
      return isSupervised() ? 0 : batch.data().get(d).logprobs()[at];
    }

    /** The weight or the advantage of a token. */
    private double factor(int d, int at) {
      Datum datum = batch.data().get(d);
      return isSupervised() ? datum.weights()[at] : datum.advantages()[at];
    }

    private boolean isSupervised() {
      return loss instanceof Loss.CrossEntropy;
    }
  }
}
