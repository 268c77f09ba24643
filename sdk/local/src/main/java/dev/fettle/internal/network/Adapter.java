package dev.fettle.internal.network;

import dev.fettle.internal.model.AdapterShape;
import dev.fettle.internal.model.Product;
import dev.fettle.internal.torch.NativeList;
import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The low-rank adapters of a model in the form that the kernels read: for each product of a layer the A's below each other
 * and the scaled B's on a diagonal, those of experts below each other too, and with magnitudes a gain for each row and the inverse
 * norms; A and scaled B of the embeddings. The scope given owns the tensors.
 */
public final class Adapter {
  /**
   * The adapter of a product or of an embedding.
   *
   * @param a [rank, inputs]
   * @param scaledB [outputs, rank]
   * @param gain magnitude / norm of each row; {@code null} without magnitudes
   * @param inverseNorm 1 / norm of each row, float32; {@code null} without magnitudes
   */
  public record Pair(Tensor a, Tensor scaledB, Tensor gain, Tensor inverseNorm) {
    List<Tensor> tensors() {
      return gain == null ? List.of(a, scaledB) : List.of(a, scaledB, gain, inverseNorm);
    }
  }

  private final AdapterShape shape;
  private final List<Map<Product, Pair>> pairs;
  private final Pair embedding;
  private final Pair head;
  private final List<NativeList<NativeList<Tensor>>> layers = new ArrayList<>();
  private final List<NativeList<long[]>> blocks = new ArrayList<>();
  private final List<NativeList<double[]>> scales = new ArrayList<>();
  private final NativeList<Tensor> nativeEmbedding;
  private final NativeList<Tensor> nativeHead;

  private Adapter(AdapterShape shape, Scope scope, List<Map<Product, Pair>> pairs, Pair embedding, Pair head) {
    this(shape, scope, pairs, embedding, head, true);
  }

  private Adapter(AdapterShape shape, Scope scope, List<Map<Product, Pair>> pairs, Pair embedding, Pair head, boolean trained) {
    this.shape = shape;
    this.pairs = pairs;
    this.embedding = embedding;
    this.head = head;
    for (int i = 0; i < pairs.size(); i++) {
      layers.add(scope.lists(tensors(i)));
    }
    for (int i = 0; i < pairs.size() && trained; i++) {
      List<long[]> blocksOf = new ArrayList<>();
      List<double[]> scalesOf = new ArrayList<>();
      for (Product p : Product.values()) {
        blocksOf.add(shape.blocks(i, p));
        scalesOf.add(shape.scales(i, p));
      }
      blocks.add(scope.longLists(blocksOf));
      scales.add(scope.doubleLists(scalesOf));
    }
    this.nativeEmbedding = scope.list(embedding == null ? List.of() : embedding.tensors());
    this.nativeHead = scope.list(head == null ? List.of() : head.tensors());
  }

  private List<List<Tensor>> tensors(int layer) {
    List<List<Tensor>> out = new ArrayList<>();
    for (Product p : Product.values()) {
      Pair pair = pairs.get(layer).get(p);
      out.add(pair == null ? List.of() : pair.tensors());
    }
    return out;
  }

  /** An adapter of zeros. */
  public static Adapter zeros(AdapterShape shape, Scope scope, NumberType type) {
    List<Map<Product, Pair>> pairs = new ArrayList<>();
    for (int i = 0; i < shape.layers(); i++) {
      Map<Product, Pair> layer = new HashMap<>();
      for (Product p : shape.adapted(i)) {
        long rank = shape.rows(i, p);
        long outputs = shape.outputs(i, p);
        boolean magnitudes = shape.kind().magnitudes();
        layer.put(p, new Pair(scope.zeros(type, rank, shape.inputs(i, p)), scope.zeros(type, outputs, shape.columns(i, p)),
            magnitudes ? scope.zeros(type, outputs) : null, magnitudes ? scope.zeros(NumberType.F32, outputs) : null));
      }
      pairs.add(layer);
    }
    long vocabulary = shape.config().vocabSize();
    long hidden = shape.config().hiddenSize();
    return new Adapter(shape, scope, pairs, pair(scope, type, shape.embedding().rank(), vocabulary, hidden),
        pair(scope, type, shape.head().rank(), hidden, vocabulary));
  }

  private static Pair pair(Scope scope, NumberType type, long rank, long inputs, long outputs) {
    return rank == 0 ? null : new Pair(scope.zeros(type, rank, inputs), scope.zeros(type, outputs, rank), null, null);
  }

  /** The bytes of an adapter's tensors. */
  public static long bytes(AdapterShape shape, NumberType type) {
    long numbers = 0;
    long singles = 0;
    for (int i = 0; i < shape.layers(); i++) {
      for (Product p : shape.adapted(i)) {
        numbers += shape.rows(i, p) * shape.inputs(i, p) + shape.columns(i, p) * shape.outputs(i, p);
        if (shape.kind().magnitudes()) {
          numbers += shape.outputs(i, p);
          singles += shape.outputs(i, p);
        }
      }
    }
    long ends = (long) shape.config().vocabSize() + shape.config().hiddenSize();
    return (numbers + ((long) shape.embedding().rank() + shape.head().rank()) * ends) * type.size() + singles * Float.BYTES;
  }

  /** What {@link PackedAdapter#open} makes: no gradients go through it. */
  static Adapter opened(AdapterShape shape, Scope scope, List<Map<Product, Pair>> pairs) {
    return new Adapter(shape, scope, pairs, null, null, false);
  }

  /** What is adapted, and by which rank. */
  public AdapterShape shape() {
    return shape;
  }

  /** The adapter of a product; {@code null} where it has none. */
  public Pair pair(int layer, Product product) {
    return pairs.get(layer).get(product);
  }

  /** A [rank, vocabulary] and s B [hidden, rank] of the input embedding; {@code null} where it has none. */
  public Pair embedding() {
    return embedding;
  }

  /** A [rank, hidden] and s B [vocabulary, rank] of the output embedding; {@code null} where it has none. */
  public Pair head() {
    return head;
  }

  NativeList<Tensor> nativeEmbedding() {
    return nativeEmbedding;
  }

  NativeList<Tensor> nativeHead() {
    return nativeHead;
  }

  /** The adapters of a layer by {@link Product}. */
  NativeList<NativeList<Tensor>> layer(int i) {
    return layers.get(i);
  }

  /** Rows and rank of each linear layer by {@link Product}. */
  NativeList<long[]> blocks(int layer) {
    return blocks.get(layer);
  }

  /** The factor of each linear layer's adapter by {@link Product}. */
  NativeList<double[]> scales(int layer) {
    return scales.get(layer);
  }

  /** The adapters of all layers. */
  NativeList<NativeList<NativeList<Tensor>>> all(Scope into) {
    List<List<Tensor>> all = new ArrayList<>();
    for (int i = 0; i < pairs.size(); i++) {
      all.addAll(tensors(i));
    }
    return into.kernels().nestLists(into.lists(all), Product.values().length);
  }
}
