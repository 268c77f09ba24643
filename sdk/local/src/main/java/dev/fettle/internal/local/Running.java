package dev.fettle.internal.local;

import dev.fettle.internal.network.Adapter;
import dev.fettle.internal.network.Network;
import dev.fettle.internal.network.Weights;

/** What a network runs with. */
interface Running {
  /** All weights. */
  Weights weights();

  /** The adapter, which may be none. */
  Adapter adapter();

  /** The lowest layer into which a way back goes. */
  int lowestLayer();

  /** Weights that nobody trains, without an adapter. */
  static Running base(Network network, Weights weights) {
    return new Running() {
      @Override
      public Weights weights() {
        return weights;
      }

      @Override
      public Adapter adapter() {
        return network.noAdapter();
      }

      @Override
      public int lowestLayer() {
        return network.config().layers().size();
      }
    };
  }
}
