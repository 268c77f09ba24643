package dev.fettle.internal.network;

import dev.fettle.internal.model.Layout;
import dev.fettle.internal.model.Product;
import dev.fettle.internal.torch.FewRows;
import dev.fettle.internal.torch.NativeList;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** The matrices of a model as {@code decode_step} takes them; a scope owns the lists. */
final class DecodeForm {
  private final Weights weights;
  private final NativeList<NativeList<NativeList<Tensor>>> products;
  private final NativeList<NativeList<NativeList<FewRows>>> fewRows;

  /**
   * Matrices of which some have a form for few rows.
   *
   * @param head the block of the output embedding
   */
  DecodeForm(Scope scope, Weights weights, Layout.Block head, Map<Layout.Block, NativeList<FewRows>> fewRows) {
    this.weights = weights;
    this.products = weights.allProducts(scope);
    NativeList<FewRows> none = scope.kernels().noFewRows();
    List<NativeList<NativeList<FewRows>>> layers = new ArrayList<>();
    for (int i = 0; i < weights.layout().config().layers().size(); i++) {
      int layer = i;
      layers.add(scope.listOf(Arrays.stream(Product.values())
          .map(p -> fewRows.getOrDefault(new Layout.Block(layer, p, null), none)).toList()));
    }
    layers.add(scope.listOf(List.of(fewRows.getOrDefault(head, none))));
    this.fewRows = scope.listOf(layers);
  }

  /** The matrices as they are when there is no form for few rows. */
  Weights weights() {
    return weights;
  }

  /** Those of all layers. */
  NativeList<NativeList<NativeList<Tensor>>> products() {
    return products;
  }

  /** The output embedding. */
  NativeList<Tensor> head() {
    return weights.head();
  }

  /** The forms for few rows of all layers' and, last, of the output embedding; empty lists where there is none. */
  NativeList<NativeList<NativeList<FewRows>>> fewRows() {
    return fewRows;
  }
}
