package dev.fettle.internal.local;

import dev.fettle.internal.model.Dropout;
import dev.fettle.internal.model.EncoderNetwork;
import dev.fettle.internal.model.Packing;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;

/** An encoder in training: the vectors of texts. */
record EncoderBody(EncoderNetwork network, Tuned tuned) implements Body {
  @Override
  public int width() {
    return network.config().hiddenSize();
  }

  @Override
  public void prepare(int longest) {
    // Positions are embedded: nothing depends on how many there are.
  }

  @Override
  public Pass forward(Scope step, Packing packing, Dropout dropout, boolean keep) {
    int lowest = keep ? tuned.lowestLayer() : network.config().layers();
    EncoderNetwork.Trace trace = network.forward(step, tuned.weights(), tuned.adapter(), packing, dropout, lowest);
    return new Pass() {
      @Override
      public Tensor values() {
        return trace.vectors();
      }

      @Override
      public void backward(Scope scope, Tensor gradient, Gradients into, boolean fresh) {
        network.backward(scope, trace, gradient, tuned.weights(), tuned.adapter(), into.weights(), into.adapters(), lowest,
            fresh);
      }
    };
  }
}
