package dev.fettle.internal.local;

import dev.fettle.Batch;
import dev.fettle.Datum;
import dev.fettle.Loss;
import dev.fettle.LossResult;
import dev.fettle.NumericException;
import dev.fettle.internal.TokenLoss;
import dev.fettle.internal.network.Dropout;
import dev.fettle.internal.network.Head;
import dev.fettle.internal.network.Network;
import dev.fettle.internal.network.Packing;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * One pass over a batch: forward, loss and, if asked for, backward. The batch is cut into micro-batches of bounded
 * length, which changes nothing but the order of a sum. On failure the gradient is what it was before.
 */
final class Step {
  /** Tokens that go through the network at once, unless one sequence alone has more. */
  static final int MICRO_BATCH = Integer.getInteger("fettle.microbatch", 4096);

  private final Network network;
  private final TrainableModel tuned;
  private final MemoryPlanner memory;

  Step(Network network, TrainableModel tuned, MemoryPlanner memory) {
    this.network = network;
    this.tuned = tuned;
    this.memory = memory;
  }

  /** The logprobs of all positions, and the loss. */
  LossResult forward(Batch batch, Loss loss) {
    Tally tally = new Tally(batch, loss);
    for (List<Integer> micro : split(batch)) {
      parallel(batch, tally, share(batch, micro, DataParallel.most()), (data, part, lane) -> {
        try (Scope step = new Scope()) {
          Packing packing = pack(batch, data);
          Network.Trace trace =
              network.forward(step, tuned.weights(), tuned.adapter(), packing, Dropout.NONE, Network.NOTHING);
          Positions all = Positions.all(batch, data, packing);
          part.add(all, 0, new Head(tuned.weights(), tuned.adapter(), 1).logprobs(step, trace.output(), all.rows(), all.targets()));
        }
      });
    }
    return tally.result();
  }

  /** The loss; its gradient is added to what has accumulated. */
  LossResult forwardBackward(Batch batch, Loss loss, boolean accumulated, long pass) {
    try (GradientVectors.Pass vectors = tuned.gradients().begin(accumulated)) {
      Tally tally = new Tally(batch, loss);
      boolean[] overwrite = {vectors.overwrite()};
      int kept = memory.firstKept(batch, tuned, accumulated);
      long number = 0;
      for (List<Integer> micro : split(batch)) {
        Dropout dropout = new Dropout(tuned.dropout(), (tuned.seed() * 31 + pass) * 4099 + number++);
        List<List<Integer>> shares = share(batch, micro, tuned.lanes());
        List<Gradients> gradients = IntStream.range(0, shares.size()).mapToObj(vectors::lane).toList();
        parallel(batch, tally, shares, (data, part, lane) -> {
          Positions chosen = Positions.inLoss(batch, loss, data, pack(batch, data));
          if (chosen.rows().length > 0) {
            one(batch, data, chosen, part, dropout, kept, gradients.get(lane), shares.size(), overwrite[0]);
            overwrite[0] = false;
          }
        });
      }
      LossResult result = tally.result();
      vectors.keep();
      return result;
    }
  }

  /**
   * @param kept the first layer whose activations are kept for the way back
   * @param overwrite whether the gradients of weights hold nothing yet; there is one lane then
   */
  private void one(Batch batch, List<Integer> data, Positions chosen, Tally tally, Dropout dropout, int kept,
      Gradients gradients, int lanes, boolean overwrite) {
    try (Scope step = new Scope()) {
      Packing packing = pack(batch, data);
      int lowest = tuned.lowestLayer();
      Network.Trace trace =
          network.forward(step, tuned.weights(), tuned.adapter(), packing, dropout, Network.from(lowest, kept));
      // Where the gradient is as large as the model, memory for logits is spared too.
      int heads = tuned.gradients().clearedInPlace() ? lanes : 2;
      Tensor d = new Head(tuned.weights(), tuned.adapter(), heads).gradient(step, trace.output(), packing.rows(),
          chosen.rows(), chosen.targets(), (first, logprobs) -> tally.add(chosen, first, logprobs), gradients.weights(),
          gradients.adapters(), overwrite);
      network.backward(step, trace, d, tuned.weights(), tuned.adapter(), gradients.weights(), gradients.adapters(), lowest,
          overwrite);
    }
  }

  /** What a lane does with its data. */
  @FunctionalInterface
  private interface Part {
    void run(List<Integer> data, Tally tally, int lane);
  }

  private void parallel(Batch batch, Tally tally, List<List<Integer>> shares, Part part) {
    network.prepare(batch.data().stream().mapToInt(Datum::length).max().orElse(1));
    List<Tally> tallies = shares.stream().map(s -> tally.part()).toList();
    DataParallel.run(shares.size(), lane -> part.run(shares.get(lane), tallies.get(lane), lane));
    tallies.forEach(tally::add);
  }

  /** Deals data out one by one so that all lanes have about as many tokens, longest first; no lane stays empty. */
  private static List<List<Integer>> share(Batch batch, List<Integer> micro, int lanes) {
    List<int[]> texts = micro.stream().map(i -> batch.data().get(i).inputs()).toList();
    return LengthBuckets.of(texts, lanes, 1).lanes().stream()
        .map(lane -> lane.stream().flatMap(List::stream).map(micro::get).toList()).toList();
  }

  private static Packing pack(Batch batch, List<Integer> micro) {
    return Packing.of(micro.stream().map(i -> batch.data().get(i).inputs()).toList());
  }

  /** The data that go through the network at once. */
  static List<List<Integer>> split(Batch batch) {
    List<List<Integer>> out = new ArrayList<>();
    List<Integer> current = new ArrayList<>();
    int tokens = 0;
    for (int i = 0; i < batch.size(); i++) {
      int length = batch.data().get(i).length();
      if (!current.isEmpty() && tokens + length > MICRO_BATCH) {
        out.add(current);
        current = new ArrayList<>();
        tokens = 0;
      }
      current.add(i);
      tokens += length;
    }
    out.add(current);
    return out;
  }

  /**
   * Positions of a micro-batch.
   *
   * @param rows their rows in the packing
   * @param targets the token to predict at each
   * @param data the datum of each
   * @param at the position of each within its datum
   */
  private record Positions(int[] rows, int[] targets, int[] data, int[] at) {
    static Positions all(Batch batch, List<Integer> micro, Packing packing) {
      return where(batch, micro, packing, (datum, i) -> true);
    }

    static Positions inLoss(Batch batch, Loss loss, List<Integer> micro, Packing packing) {
      return where(batch, micro, packing, (datum, i) -> TokenLoss.takesPart(loss, datum, i));
    }

    private static Positions where(Batch batch, List<Integer> micro, Packing packing, Choice choice) {
      int[][] out = new int[4][packing.rows()];
      int n = 0;
      for (int m = 0; m < micro.size(); m++) {
        Datum datum = batch.data().get(micro.get(m));
        for (int i = 0; i < datum.length(); i++) {
          if (choice.takes(datum, i)) {
            out[0][n] = packing.starts()[m] + i;
            out[1][n] = datum.targets()[i];
            out[2][n] = micro.get(m);
            out[3][n++] = i;
          }
        }
      }
      for (int i = 0; i < 4; i++) {
        out[i] = java.util.Arrays.copyOf(out[i], n);
      }
      return new Positions(out[0], out[1], out[2], out[3]);
    }

    @FunctionalInterface
    private interface Choice {
      boolean takes(Datum datum, int i);
    }
  }

  /** Collects logprobs and sums the loss. */
  private static final class Tally {
    private final Batch batch;
    private final Loss loss;
    private final TokenLoss formula;
    private final List<float[]> logprobs;
    private double sum;
    private double weight;

    Tally(Batch batch, Loss loss) {
      this(batch, loss, batch.data().stream().map(d -> new float[d.length()]).toList());
    }

    private Tally(Batch batch, Loss loss, List<float[]> logprobs) {
      this.batch = batch;
      this.loss = loss;
      this.formula = TokenLoss.of(loss);
      this.logprobs = logprobs;
    }

    /** A tally of some of the data, to be added when they are done. */
    Tally part() {
      return new Tally(batch, loss, logprobs);
    }

    void add(Tally part) {
      sum += part.sum;
      weight += part.weight;
    }

    /** Takes the logprobs of some positions and returns the derivative of the loss by them. */
    float[] add(Positions positions, int first, float[] values) {
      float[] derivative = new float[values.length];
      for (int i = 0; i < values.length; i++) {
        int d = positions.data()[first + i];
        int at = positions.at()[first + i];
        logprobs.get(d)[at] = values[i];
        Datum datum = batch.data().get(d);
        if (TokenLoss.takesPart(loss, datum, at)) {
          boolean supervised = loss instanceof Loss.CrossEntropy;
          double q = supervised ? 0 : datum.logprobs()[at];
          double a = supervised ? datum.weights()[at] : datum.advantages()[at];
          double value = formula.value(values[i], q, a);
          derivative[i] = (float) formula.derivative(values[i], q, a);
          if (!Double.isFinite(value) || !Float.isFinite(derivative[i])) {
            throw new NumericException("the loss at position " + at + " of data[" + d + "] is " + value
                + " (logprob " + values[i] + "); the gradient is as it was before this pass. "
                + "Lower the learning rate, or clip the gradient");
          }
          sum += value;
          weight += supervised ? a : 1;
        }
      }
      return derivative;
    }

    LossResult result() {
      if (!Double.isFinite(sum)) {
        throw new NumericException("the loss is " + sum + "; the gradient is as it was before this pass");
      }
      return new LossResult(sum, logprobs, weight, Map.of("loss:sum", sum));
    }
  }
}
