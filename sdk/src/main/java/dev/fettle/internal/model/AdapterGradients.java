package dev.fettle.internal.model;

import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/** Where the gradients of adapters are added: A [rank, inputs] and the flat B's of each fused product of each layer. */
public final class AdapterGradients {
  private final Tensor[] layers;

  /** Gradients from {@link Adapter#PER_LAYER} tensors a layer; empty tensors where nothing is trained. */
  public AdapterGradients(Scope scope, List<List<Tensor>> parts) {
    layers = parts.stream().map(scope::list).toArray(Tensor[]::new);
  }

  /** No adapters. */
  public static AdapterGradients none(ModelConfig config, Scope scope) {
    Tensor[] empty = new Tensor[Adapter.PER_LAYER];
    Arrays.fill(empty, scope.call("nothing", false));
    return new AdapterGradients(scope, Collections.nCopies(config.layers(), Arrays.asList(empty)));
  }

  Tensor layer(int i) {
    return layers[i];
  }
}
