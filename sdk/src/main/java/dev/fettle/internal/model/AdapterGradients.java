package dev.fettle.internal.model;

import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/**
 * Where the gradients of adapters are added: A [rank, inputs] and the flat B's of each fused product of each layer, then
 * the biases of the B's, then the magnitudes; A and B of the input and of the output embedding.
 */
public final class AdapterGradients {
  /** Tensors a layer. */
  public static final int PER_LAYER = 4 * AdapterShape.GROUPS;

  private final Tensor[] layers;
  private final List<Tensor> outer;

  /**
   * Gradients from {@link #PER_LAYER} tensors a layer; empty tensors where nothing is trained.
   *
   * @param outer A and B of the input embedding, A and B of the output embedding
   */
  public AdapterGradients(Scope scope, List<List<Tensor>> parts, List<Tensor> outer) {
    this.layers = parts.stream().map(scope::list).toArray(Tensor[]::new);
    this.outer = List.copyOf(outer);
  }

  /** No adapters. */
  public static AdapterGradients none(ModelConfig config, Scope scope) {
    Tensor none = scope.call("nothing", false);
    Tensor[] empty = new Tensor[PER_LAYER];
    Arrays.fill(empty, none);
    return new AdapterGradients(scope, Collections.nCopies(config.layers(), Arrays.asList(empty)),
        Collections.nCopies(4, none));
  }

  Tensor layer(int i) {
    return layers[i];
  }

  Tensor embeddingA() {
    return outer.get(0);
  }

  Tensor embeddingB() {
    return outer.get(1);
  }

  Tensor headA() {
    return outer.get(2);
  }

  Tensor headB() {
    return outer.get(3);
  }
}
