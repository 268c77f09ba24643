package dev.fettle.internal.local;

import dev.fettle.internal.network.Classification;
import dev.fettle.internal.network.Dropout;
import dev.fettle.internal.network.Network;
import dev.fettle.internal.network.Packing;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;

/** A classifier: the logit of each text, or that of yes less that of no. */
record ClassifierBody(Network network, Classification head, Running running) implements Body {
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
    int lowest = keep ? running.lowestLayer() : network.config().layers().size();
    Network.Trace trace =
        network.forward(step, running.weights(), running.adapter(), packing, dropout, Network.from(lowest, lowest));
    Classification.Scores scores = head.forward(step, trace, running.weights());
    return new Pass() {
      @Override
      public Tensor values() {
        return scores.scores();
      }

      @Override
      public void backward(Scope scope, Tensor gradient, Gradients into, boolean overwrite) {
        Tensor d = head.gradient(scope, trace, scores, gradient, running.weights(), into.weights(), overwrite);
        network.backward(scope, trace, d, running.weights(), running.adapter(), into.weights(), into.adapters(), lowest, overwrite);
      }
    };
  }
}
