package dev.fettle.internal.model;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * A layer: its weights in the order in which files have them, and the numbers that its kernels need. Immutable.
 *
 * @param path before the names of its modules, such as {@code model.layers.3.}
 * @param parts linear layers that read the same input stand side by side
 * @param headDim numbers a head
 * @param rope how queries and keys are rotated, if they are
 */
public record LayerConfig(String path, List<Part> parts, LayerNumbers numbers, int headDim, Optional<Rope> rope) {
  /** Something with weights. */
  public sealed interface Part {}

  /**
   * A linear layer.
   *
   * @param product the product that it is computed in
   * @param name its module, below the layer
   */
  public record Linear(Product product, String name, int inputs, int outputs, boolean bias) implements Part {}

  /**
   * A norm.
   *
   * @param name its module, below the layer
   */
  public record Norm(LayerVector place, String name, int size, boolean bias) implements Part {}

  /**
   * Other numbers.
   *
   * @param name of the tensor itself, below the layer
   */
  public record Numbers(LayerVector place, String name, List<Long> shape) implements Part {
    public Numbers {
      shape = List.copyOf(shape);
    }
  }

  public LayerConfig {
    parts = List.copyOf(parts);
  }

  /** Its linear layers. */
  public List<Linear> linears() {
    return parts.stream().filter(Linear.class::isInstance).map(Linear.class::cast).toList();
  }

  /** The linear layers of a product; none where the layer has no such product. */
  public List<Linear> linears(Product product) {
    return linears().stream().filter(l -> l.product() == product).toList();
  }

  /** The products that it has. */
  public List<Product> products() {
    return Arrays.stream(Product.values()).filter(p -> !linears(p).isEmpty()).toList();
  }

  /** The numbers that a product reads of a row. */
  public int inputs(Product product) {
    return linears(product).get(0).inputs();
  }

  /** The numbers that a product gives for a row. */
  public int outputs(Product product) {
    return linears(product).stream().mapToInt(Linear::outputs).sum();
  }

  /** The full name of a module. */
  public String module(Linear linear) {
    return path + linear.name();
  }

  /** Numbers in the keys, or values, of one token. */
  public int keyValueWidth() {
    return numbers.kvHeads() * headDim;
  }

  /** Numbers in the queries of one token. */
  public int queryWidth() {
    return numbers.heads() * headDim;
  }

  /** A module's name with a star for the number of an expert, for tables. */
  public static String ofAnyExpert(String module) {
    return module.replaceFirst("\\.experts\\.\\d+\\.", ".experts.*.");
  }

  /** Whether experts stand in the place of its MLP. */
  public boolean hasExperts() {
    return numbers.experts().count() > 0;
  }

  /** Whether a state stands in the place of its keys and values. */
  public boolean hasState() {
    return numbers.delta().keyHeads() > 0;
  }

  /** The same with a bias in every linear layer but those of experts. */
  LayerConfig withBiases() {
    return new LayerConfig(path, parts.stream().map(p -> p instanceof Linear l && !l.product.isOfExperts()
        ? new Linear(l.product, l.name, l.inputs, l.outputs, true) : p).toList(), numbers, headDim, rope);
  }
}
