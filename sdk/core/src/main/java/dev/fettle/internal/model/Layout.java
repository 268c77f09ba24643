package dev.fettle.internal.model;

import dev.fettle.internal.model.LayerConfig.Linear;
import dev.fettle.internal.model.LayerConfig.Norm;
import dev.fettle.internal.model.LayerConfig.Numbers;
import dev.fettle.internal.model.LayerConfig.Part;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Where each weight of a Hugging Face checkpoint lives in memory, derived from the description of the model. Linear layers
 * that read the same input are stored below each other as one matrix, so that one product serves them all.
 */
public final class Layout {
  private static final int OUTSIDE = -1;

  /**
   * A matrix or vector in memory.
   *
   * @param layer the layer, or -1 outside of them
   * @param place what it is: a {@link Product}, a {@link LayerVector}, or an {@link OuterWeight.Place}
   */
  public record Block(int layer, Enum<?> place, long[] shape) {
    /** The number of elements. */
    public long size() {
      return sizeOf(shape);
    }

    /** The layouts of one model with tied and with untied embeddings share their blocks: equal is what stands in one place. */
    @Override
    public boolean equals(Object other) {
      return other instanceof Block b && b.layer == layer && b.place == place;
    }

    @Override
    public int hashCode() {
      return 31 * layer + place.name().hashCode();
    }

    /** Whether it is outside the layers. */
    public boolean isOuter() {
      return layer == OUTSIDE;
    }

    /** Whether it is the matrix of a product. */
    public boolean isProduct() {
      return place instanceof Product;
    }
  }

  /**
   * A weight of the checkpoint: a run of elements of a block.
   *
   * @param name its name in Hugging Face checkpoints
   * @param offset the first element within the block
   */
  public record Weight(String name, Block block, long offset, long[] shape) {
    /** The number of elements. */
    public long size() {
      return sizeOf(shape);
    }

    /** The numbers of a row; 1 of a vector. */
    public long columns() {
      return size() / shape[0];
    }

    /** The name of the module that owns it: the name without its last part, such as {@code .weight}. */
    public String module() {
      return name.substring(0, name.lastIndexOf('.'));
    }
  }

  private final ModelConfig config;
  private final Map<Block, Block> blocks = new LinkedHashMap<>();
  private final Map<String, Weight> weights = new LinkedHashMap<>();

  private Layout(ModelConfig config) {
    this.config = config;
    config.embeddings().forEach(this::add);
    for (int i = 0; i < config.layers().size(); i++) {
      add(i, config.layers().get(i));
    }
    config.outputs().forEach(this::add);
  }

  /** The layout of a model. */
  public static Layout of(ModelConfig config) {
    return new Layout(config);
  }

  private void add(OuterWeight w) {
    Block block = new Block(OUTSIDE, w.place(), w.shape());
    blocks.put(block, block);
    weights.put(w.name(), new Weight(w.name(), block, 0, w.shape()));
  }

  private void add(int index, LayerConfig layer) {
    Product before = null;
    for (Part part : layer.parts()) {
      if (part instanceof Norm norm) {
        String name = layer.path() + norm.name();
        add(index, norm.place(), List.of(name + ".weight"), 0, norm.size());
        if (norm.bias()) {
          add(index, norm.place().bias(), List.of(name + ".bias"), 0, norm.size());
        }
        before = null;
      } else if (part instanceof Numbers numbers) {
        String name = layer.path() + numbers.name();
        long[] shape = numbers.shape().stream().mapToLong(Long::longValue).toArray();
        Block block = new Block(index, numbers.place(), shape);
        blocks.put(block, block);
        weights.put(name, new Weight(name, block, 0, shape));
        before = null;
      } else if (part instanceof Linear linear && linear.product() != before) {
        before = linear.product();
        add(index, layer, before);
      }
    }
  }

  private void add(int index, LayerConfig layer, Product product) {
    List<Linear> linears = layer.linears(product);
    long[] rows = linears.stream().mapToLong(Linear::outputs).toArray();
    add(index, product, linears.stream().map(l -> layer.module(l) + ".weight").toList(), layer.inputs(product), rows);
    if (linears.get(0).bias()) {
      add(index, LayerVector.biasOf(product), linears.stream().map(l -> layer.module(l) + ".bias").toList(), 0, rows);
    }
  }

  /** Adds a block of weights below each other; columns 0 for vectors. */
  private void add(int layer, Enum<?> place, List<String> names, long columns, long... rows) {
    Block block = new Block(layer, place, shape(java.util.Arrays.stream(rows).sum(), columns));
    blocks.put(block, block);
    long offset = 0;
    for (int i = 0; i < rows.length; i++) {
      Weight weight = new Weight(names.get(i), block, offset, shape(rows[i], columns));
      weights.put(weight.name(), weight);
      offset += weight.size();
    }
  }

  /** The model's configuration. */
  public ModelConfig config() {
    return config;
  }

  /** The tensors in memory; embeddings first, then layer by layer, then what follows. */
  public List<Block> blocks() {
    return new ArrayList<>(blocks.keySet());
  }

  /** The weights by name, in the order in which they are stored. */
  public Map<String, Weight> weights() {
    return Collections.unmodifiableMap(weights);
  }

  /** Where the output embedding stands; {@code null} where it is the input embedding, or there is none. */
  public Block head() {
    return outer(OuterWeight.Place.HEAD).orElse(null);
  }

  /** Where the input embedding stands. */
  public Block embedding() {
    return outer(OuterWeight.Place.EMBEDDING).orElseThrow();
  }

  /** The name of the input embedding's module. */
  public String embeddingModule() {
    return weights.values().stream().filter(w -> w.block().equals(embedding())).findFirst().orElseThrow().module();
  }

  /** A block outside the layers, if the model has it. */
  public Optional<Block> outer(OuterWeight.Place place) {
    return block(OUTSIDE, place);
  }

  /** The block of a layer at a place, if the model has it. */
  public Optional<Block> block(int layer, Enum<?> place) {
    return Optional.ofNullable(blocks.get(new Block(layer, place, null)));
  }

  /** The modules of single experts that transformers holds as one weight, by its name. */
  public List<String> expertsOf(String weight) {
    return weights.values().stream().filter(w -> config.architecture().stacked(w.name()).filter(s -> s.tensor().equals(weight))
        .isPresent()).map(Weight::module).toList();
  }

  /** The number of weights of the model. */
  public long parameters() {
    return blocks.keySet().stream().mapToLong(Block::size).sum();
  }

  private static long[] shape(long rows, long columns) {
    return columns == 0 ? new long[] {rows} : new long[] {rows, columns};
  }

  private static long sizeOf(long[] shape) {
    long n = 1;
    for (long s : shape) {
      n *= s;
    }
    return n;
  }
}
