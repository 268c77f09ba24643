package dev.fettle.internal.local;

import dev.fettle.internal.network.Dropout;
import dev.fettle.internal.network.Network;
import dev.fettle.internal.network.Packing;
import dev.fettle.internal.network.Pooler;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;

/** An encoder in training: the vectors of texts. */
record EncoderBody(Network network, Pooler pooler, int width, TrainableModel tuned) implements Body {
  @Override
  public void prepare(int longest) {
    network.prepare(longest);
  }

  @Override
  public Pass forward(Scope step, Packing packing, Dropout dropout, boolean keep) {
    int lowest = keep ? tuned.lowestLayer() : network.config().layers().size();
    Network.Trace trace =
        network.forward(step, tuned.weights(), tuned.adapter(), packing, dropout, Network.from(lowest, lowest));
    Pooler.Pooled pooled = pooler.pool(step, trace, tuned.weights());
    return new Pass() {
      @Override
      public Tensor values() {
        return pooled.vectors();
      }

      @Override
      public void backward(Scope scope, Tensor gradient, Gradients into, boolean overwrite) {
        Tensor d = pooler.gradient(scope, trace, pooled, gradient, tuned.weights(), into.weights(), overwrite);
        network.backward(scope, trace, d, tuned.weights(), tuned.adapter(), into.weights(), into.adapters(), lowest, overwrite);
      }
    };
  }
}
