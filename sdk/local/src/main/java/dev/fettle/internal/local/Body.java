package dev.fettle.internal.local;

import dev.fettle.internal.network.Classification;
import dev.fettle.internal.network.Dropout;
import dev.fettle.internal.network.Head;
import dev.fettle.internal.network.Network;
import dev.fettle.internal.network.Packing;
import dev.fettle.internal.network.Pooler;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import java.util.Arrays;

/**
 * What gives each text some numbers, such as its vector, and takes the gradient of a loss by them back: a network, and what is
 * read off its output.
 *
 * @param width how many numbers a text has
 */
record Body(Network network, Running running, int width, Readout readout) {

  /** What is read off the output of a pass. */
  interface Readout {
    Reading of(Scope step, Network.Trace trace, Packing packing);
  }

  /** The numbers, and the way back to the output. */
  record Reading(Tensor values, Back back) {}

  /** The derivative by the network's output, of that by the numbers. What the readout itself trains goes into the gradients. */
  interface Back {
    Tensor through(Scope scope, Tensor gradient, Gradients into, boolean overwrite);
  }

  /** The vector of each text. */
  static Body vectors(Network network, Running running, Pooler pooler, int width) {
    return new Body(network, running, width, (step, trace, packing) -> {
      Pooler.Pooled pooled = pooler.pool(step, trace, running.weights());
      return new Reading(pooled.vectors(), (scope, gradient, into, overwrite) ->
          pooler.gradient(scope, trace, pooled, gradient, running.weights(), into.weights(), overwrite));
    });
  }

  /** The logit of each text, or that of yes less that of no. */
  static Body scores(Network network, Running running, Classification head) {
    return new Body(network, running, 1, (step, trace, packing) -> {
      Classification.Scores scores = head.forward(step, trace, running.weights());
      return new Reading(scores.scores(), (scope, gradient, into, overwrite) ->
          head.gradient(scope, trace, scores, gradient, running.weights(), into.weights(), overwrite));
    });
  }

  /** How much likelier one token is than another after each text, in logits of a causal language model. */
  static Body preference(Network network, Running running, int yes, int no) {
    return new Body(network, running, 1, (step, trace, packing) -> {
      Head head = new Head(running.weights(), running.adapter(), 1);
      int[] last = lastRows(packing);
      return new Reading(head.preference(step, trace.output(), last, yes, no), (scope, gradient, into, overwrite) ->
          head.preferenceGradient(scope, trace.output(), packing.rows(), last, yes, no, gradient, into.weights(), into.adapters(),
              overwrite));
    });
  }

  /** Makes ready for passes on several threads over texts of at most so many tokens. */
  void prepare(int longest) {
    network.prepare(longest);
  }

  /** Runs packed texts through; keeps what a backward pass needs only where one will come. */
  Pass forward(Scope step, Packing packing, Dropout dropout, boolean keep) {
    int lowest = keep ? running.lowestLayer() : network.config().layers().size();
    Network.Trace trace =
        network.forward(step, running.weights(), running.adapter(), packing, dropout, Network.from(lowest, lowest));
    return new Pass(this, lowest, trace, readout.of(step, trace, packing));
  }

  /** A forward pass that has been made. */
  record Pass(Body body, int lowest, Network.Trace trace, Reading reading) {
    /** [texts as packed, width], float32. */
    Tensor values() {
      return reading.values();
    }

    /**
     * Adds the gradients of what is trained, from the gradient of the values.
     *
     * @param overwrite whether the gradients of weights are set rather than added to
     */
    void backward(Scope scope, Tensor gradient, Gradients into, boolean overwrite) {
      Tensor d = reading.back().through(scope, gradient, into, overwrite);
      body.network.backward(scope, trace, d, body.running.weights(), body.running.adapter(), into.weights(), into.adapters(), lowest,
          overwrite);
    }
  }

  /** The last row of each text, texts as packed. */
  private static int[] lastRows(Packing packing) {
    int[] starts = packing.starts().clone();
    Arrays.sort(starts);
    int[] out = new int[starts.length];
    for (int i = 0; i < out.length; i++) {
      out[i] = (i + 1 < starts.length ? starts[i + 1] : packing.rows()) - 1;
    }
    return out;
  }
}
