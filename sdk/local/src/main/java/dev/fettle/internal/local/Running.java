package dev.fettle.internal.local;

import dev.fettle.internal.model.AdapterShape;
import dev.fettle.internal.model.ModelConfig;
import dev.fettle.internal.network.Adapter;
import dev.fettle.internal.network.Weights;
import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Scope;

/** What a network runs with. */
interface Running {
  /** All weights. */
  Weights weights();

  /** The adapter, which may be none. */
  Adapter adapter();

  /** The lowest layer into which a way back goes. */
  int lowestLayer();

  /** Weights that nobody trains, without an adapter. */
  static Running base(ModelConfig config, Weights weights, NumberType type, Scope scope) {
    Adapter none = Adapter.zeros(AdapterShape.none(config), scope, type);
    return new Running() {
      @Override
      public Weights weights() {
        return weights;
      }

      @Override
      public Adapter adapter() {
        return none;
      }

      @Override
      public int lowestLayer() {
        return config.layers().size();
      }
    };
  }
}
