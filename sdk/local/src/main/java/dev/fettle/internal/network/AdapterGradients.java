package dev.fettle.internal.network;

import dev.fettle.internal.model.Product;
import dev.fettle.internal.torch.NativeList;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Where the gradients of adapters are added: for each product of each layer those of A [rank, inputs], of the flat B's, of the
 * biases of the B's, of the magnitudes; A and B of the input and of the output embedding.
 */
public final class AdapterGradients {
  private final List<NativeList<NativeList<Tensor>>> layers = new ArrayList<>();
  private final NativeList<Tensor> embedding;
  private final NativeList<Tensor> head;

  /**
   * Gradients from four tensors a product, empty ones where nothing is trained; products without an adapter are absent.
   *
   * @param embedding A and B of the input embedding; empty where it has no adapter
   * @param head the same of the output embedding
   */
  public AdapterGradients(Scope scope, List<Map<Product, List<Tensor>>> parts, List<Tensor> embedding, List<Tensor> head) {
    for (Map<Product, List<Tensor>> part : parts) {
      List<List<Tensor>> lists = new ArrayList<>();
      for (Product p : Product.values()) {
        lists.add(part.getOrDefault(p, List.of()));
      }
      layers.add(scope.lists(lists));
    }
    this.embedding = scope.list(embedding);
    this.head = scope.list(head);
  }

  NativeList<NativeList<Tensor>> layer(int i) {
    return layers.get(i);
  }

  NativeList<Tensor> embedding() {
    return embedding;
  }

  NativeList<Tensor> head() {
    return head;
  }
}
