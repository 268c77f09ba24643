package dev.fettle.internal.local;

import dev.fettle.internal.network.Dropout;
import dev.fettle.internal.network.Head;
import dev.fettle.internal.network.Network;
import dev.fettle.internal.network.Packing;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import java.util.Arrays;

/** A causal language model in training: how much likelier one token is than another after each text, in logits. */
record ChoiceBody(Network network, Running tuned, int yes, int no) implements Body {
  @Override
  public int width() {
    return 1;
  }

  @Override
  public void prepare(int longest) {
    network.prepare(longest);
  }

  @Override
  public Pass forward(Scope step, Packing packing, Dropout dropout, boolean keep) {
    int lowest = keep ? tuned.lowestLayer() : network.config().layers().size();
    Network.Trace trace =
        network.forward(step, tuned.weights(), tuned.adapter(), packing, dropout, Network.from(lowest, lowest));
    Head head = new Head(tuned.weights(), tuned.adapter(), 1);
    int[] last = lastRows(packing);
    Tensor values = head.preference(step, trace.output(), last, yes, no);
    return new Pass() {
      @Override
      public Tensor values() {
        return values;
      }

      @Override
      public void backward(Scope scope, Tensor gradient, Gradients into, boolean overwrite) {
        Tensor d = head.preferenceGradient(scope, trace.output(), packing.rows(), last, yes, no, gradient, into.weights(),
            into.adapters(), overwrite);
        network.backward(scope, trace, d, tuned.weights(), tuned.adapter(), into.weights(), into.adapters(), lowest, overwrite);
      }
    };
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
