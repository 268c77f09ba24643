package dev.fettle.internal.local;

import dev.fettle.internal.model.Layout;
import dev.fettle.internal.model.ModelConfig;
import dev.fettle.internal.network.Weight;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import java.util.Optional;

/** A model's weights as they were before they were quantised, as far as that is still at hand. */
final class Originals {
  private final ModelConfig config;
  private final Optional<WeightSource> source;

  Originals(LocalModel model) {
    this.config = model.config();
    this.source = model.blocks().isDense() ? Optional.empty()
        : Optional.of(model.source()).filter(s -> s.isDense(config) && s.isAsItWas(config));
  }

  /** Whether there are weights that were quantised and can be had as they were. */
  boolean areThere() {
    return source.isPresent();
  }

  /** A weight in numbers, from what it was quantised from if it can be. */
  Tensor value(Scope scope, Weight held, Layout.Weight w) {
    return source.isPresent() && held instanceof Weight.Quantised ? source.get().read(scope, config, w) : held.dense(scope, w);
  }
}
