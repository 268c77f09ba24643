package dev.fettle.internal.model;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Where each weight of a Hugging Face checkpoint lives in memory. Projections that read the same input are stored below
 * each other as one matrix, so that one product serves them all.
 */
public final class Layout {
  /** Tensors a decoder layer, in the order that the kernels read. */
  public static final int PER_LAYER = 12;
  static final int INPUT_NORM = 0;
  static final int QKV = 1;
  static final int QKV_BIAS = 2;
  static final int Q_NORM = 3;
  static final int K_NORM = 4;
  static final int O = 5;
  static final int O_BIAS = 6;
  static final int MLP_NORM = 7;
  static final int GATE_UP = 8;
  static final int GATE_UP_BIAS = 9;
  static final int DOWN = 10;
  static final int DOWN_BIAS = 11;
  /** The matrices of a layer. */
  static final List<Integer> MATRICES = List.of(QKV, O, GATE_UP, DOWN);
  /** Tensors outside the layers. */
  static final int EMBEDDING = 0;
  static final int FINAL_NORM = 1;
  static final int HEAD = 2;
  /** Those of an encoder beside its embedding; the norm after it stands where a decoder has its last. */
  static final int POSITIONS = 3;
  static final int SEGMENTS = 4;
  static final int EMBEDDING_NORM_BIAS = 5;
  static final int OUTER = 6;

  /**
   * A tensor in memory.
   *
   * @param layer the decoder layer, or -1 outside of them
   * @param index its place among the layer's tensors
   */
  public record Block(int layer, int index, long[] shape) {
    /** The number of elements. */
    public long size() {
      return sizeOf(shape);
    }

    /** The layouts of one model with tied and with untied embeddings share their blocks: equal is what stands in one place. */
    @Override
    public boolean equals(Object other) {
      return other instanceof Block b && b.layer == layer && b.index == index;
    }

    @Override
    public int hashCode() {
      return 31 * layer + index;
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

    /** The name of the module that owns it: the name without {@code .weight} or {@code .bias}. */
    public String module() {
      return name.substring(0, name.lastIndexOf('.'));
    }
  }

  private final ModelConfig config;
  private final List<Block> blocks = new ArrayList<>();
  private final Map<String, Weight> weights = new LinkedHashMap<>();

  private Layout(ModelConfig config) {
    this.config = config;
  }

  /** The layout of a model. */
  public static Layout of(ModelConfig c) {
    Layout layout = new Layout(c);
    if (c.encoder()) {
      EncoderLayout.fill(layout, c);
      return layout;
    }
    long h = c.hiddenSize();
    long q = (long) c.heads() * c.headDim();
    long kv = (long) c.keyValueHeads() * c.headDim();
    long f = c.intermediateSize();
    layout.add(-1, EMBEDDING, h, "model.embed_tokens.weight", c.vocabSize());
    for (int i = 0; i < c.layers(); i++) {
      String p = "model.layers." + i + ".";
      String attention = p + "self_attn.";
      layout.add(i, INPUT_NORM, 0, p + "input_layernorm.weight", h);
      layout.add(i, QKV, h, attention + "q_proj.weight", q, attention + "k_proj.weight", kv, attention + "v_proj.weight", kv);
      if (c.queryKeyValueBias()) {
        layout.add(i, QKV_BIAS, 0, attention + "q_proj.bias", q, attention + "k_proj.bias", kv, attention + "v_proj.bias", kv);
      }
      if (c.queryKeyNorm()) {
        layout.add(i, Q_NORM, 0, attention + "q_norm.weight", (long) c.headDim());
        layout.add(i, K_NORM, 0, attention + "k_norm.weight", (long) c.headDim());
      }
      layout.add(i, O, q, attention + "o_proj.weight", h);
      if (c.outputBias()) {
        layout.add(i, O_BIAS, 0, attention + "o_proj.bias", h);
      }
      layout.add(i, MLP_NORM, 0, p + "post_attention_layernorm.weight", h);
      layout.add(i, GATE_UP, h, p + "mlp.gate_proj.weight", f, p + "mlp.up_proj.weight", f);
      layout.add(i, DOWN, f, p + "mlp.down_proj.weight", h);
      if (c.mlpBias()) {
        layout.add(i, GATE_UP_BIAS, 0, p + "mlp.gate_proj.bias", f, p + "mlp.up_proj.bias", f);
        layout.add(i, DOWN_BIAS, 0, p + "mlp.down_proj.bias", h);
      }
    }
    layout.add(-1, FINAL_NORM, 0, "model.norm.weight", h);
    if (!c.tiedEmbeddings()) {
      layout.add(-1, HEAD, h, "lm_head.weight", c.vocabSize());
    }
    return layout;
  }

  /** The model's configuration. */
  public ModelConfig config() {
    return config;
  }

  /** The tensors in memory; embedding first, then layer by layer, then what follows. */
  public List<Block> blocks() {
    return Collections.unmodifiableList(blocks);
  }

  /** The weights by name, in the order in which they are stored. */
  public Map<String, Weight> weights() {
    return Collections.unmodifiableMap(weights);
  }

  /** Where the output embedding stands; {@code null} where it is the input embedding. */
  public Block head() {
    return config.tiedEmbeddings() ? null : blocks.get(blocks.size() - 1);
  }

  /** Where the input embedding stands. */
  public Block embedding() {
    return blocks.get(0);
  }

  /** Where the last norm stands. */
  public Block finalNorm() {
    return block(-1, FINAL_NORM).orElseThrow();
  }

  /** The block of a layer at an index, if the model has it. */
  public Optional<Block> block(int layer, int index) {
    return blocks.stream().filter(b -> b.layer == layer && b.index == index).findFirst();
  }

  /** The number of weights of the model. */
  public long parameters() {
    return blocks.stream().mapToLong(Block::size).sum();
  }

  /** Adds a block of weights below each other: names and row counts in turn; columns 0 for vectors. */
  void add(int layer, int index, long columns, Object... namesAndRows) {
    long rows = 0;
    for (int i = 1; i < namesAndRows.length; i += 2) {
      rows += ((Number) namesAndRows[i]).longValue();
    }
    Block block = new Block(layer, index, shape(rows, columns));
    blocks.add(block);
    long offset = 0;
    for (int i = 0; i < namesAndRows.length; i += 2) {
      long[] shape = shape(((Number) namesAndRows[i + 1]).longValue(), columns);
      Weight weight = new Weight((String) namesAndRows[i], block, offset, shape);
      weights.put(weight.name(), weight);
      offset += weight.size();
    }
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
