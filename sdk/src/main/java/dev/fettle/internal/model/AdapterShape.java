package dev.fettle.internal.model;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.function.ToIntFunction;

/** Which modules of a model carry an adapter, by which rank and scale, and what else adapters have. Immutable. */
public final class AdapterShape {
  /** The input embedding. */
  public static final String EMBEDDING = "model.embed_tokens";
  /** The output embedding. */
  public static final String HEAD = "lm_head";
  /** Fused products a layer: qkv, o, gate-up, down. */
  public static final int GROUPS = 4;
  /** The linear layers of a decoder layer, in the order of the kernels, and the group that each belongs to. */
  static final List<String> MODULES = List.of("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj",
      "self_attn.o_proj", "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj");
  private static final int[] GROUP_START = {0, 3, 4, 6, 7};
  /** Those of an encoder, in the same places; it has no projection beside the first of its MLP. */
  private static final List<String> ENCODER_MODULES = List.of("attention.self.query", "attention.self.key",
      "attention.self.value", "attention.output.dense", "intermediate.dense", "", "output.dense");
  private static final int ENCODER_GAP = 5;

  private static final int[] WEIGHT_INDEX = {Layout.QKV, Layout.O, Layout.GATE_UP, Layout.DOWN};

  /**
   * What adapters have beside A and B.
   *
   * @param magnitudes a length for each row of the adapted layer (DoRA)
   * @param biases a bias of B
   * @param startFrozen what A and B were at the start, taken off again (PiSSA)
   */
  public record Kind(boolean magnitudes, boolean biases, boolean startFrozen) {
    /** Nothing. */
    public static final Kind PLAIN = new Kind(false, false, false);
  }

  private final ModelConfig config;
  private final Kind kind;
  private final int[][] ranks;
  private final double[][] scales;
  private int embeddingRank;
  private double embeddingScale;
  private int headRank;
  private double headScale;

  private AdapterShape(ModelConfig config, Kind kind) {
    this.config = config;
    this.kind = kind;
    this.ranks = new int[config.layers()][MODULES.size()];
    this.scales = new double[config.layers()][MODULES.size()];
  }

  /** A shape from the rank (0 for no adapter) and scale of each module, by its full name. */
  public static AdapterShape of(ModelConfig config, Kind kind, ToIntFunction<String> rank, ToDoubleFunction<String> scale) {
    AdapterShape shape = new AdapterShape(config, kind);
    shape.embeddingRank = rank.applyAsInt(EMBEDDING);
    shape.embeddingScale = shape.embeddingRank == 0 ? 0 : scale.applyAsDouble(EMBEDDING);
    shape.headRank = rank.applyAsInt(HEAD);
    shape.headScale = shape.headRank == 0 ? 0 : scale.applyAsDouble(HEAD);
    for (int i = 0; i < config.layers(); i++) {
      for (int j = 0; j < MODULES.size(); j++) {
        String name = module(config, i, j);
        shape.ranks[i][j] = isGap(config, j) ? 0 : rank.applyAsInt(name);
        shape.scales[i][j] = shape.ranks[i][j] == 0 ? 0 : scale.applyAsDouble(name);
      }
    }
    return shape;
  }

  /** No adapter anywhere. */
  public static AdapterShape none(ModelConfig config) {
    return of(config, Kind.PLAIN, name -> 0, name -> 0);
  }

  /** The names of all linear layers of the decoder, in order. */
  public static List<String> modules(ModelConfig config) {
    List<String> names = new ArrayList<>();
    for (int i = 0; i < config.layers(); i++) {
      for (int j = 0; j < MODULES.size(); j++) {
        if (!isGap(config, j)) {
          names.add(module(config, i, j));
        }
      }
    }
    return names;
  }

  /** The same without adapters outside the layers, for kernels that have them folded in, and without a frozen start. */
  public AdapterShape folded() {
    AdapterShape out = new AdapterShape(config, new Kind(false, false, kind.startFrozen));
    for (int i = 0; i < ranks.length; i++) {
      out.ranks[i] = ranks[i].clone();
      out.scales[i] = scales[i].clone();
    }
    return out;
  }

  static String module(ModelConfig config, int layer, int module) {
    return config.encoder() ? "encoder.layer." + layer + "." + ENCODER_MODULES.get(module)
        : "model.layers." + layer + "." + MODULES.get(module);
  }

  private static boolean isGap(ModelConfig config, int module) {
    return config.encoder() && module == ENCODER_GAP;
  }

  /** What the adapters have beside A and B. */
  public Kind kind() {
    return kind;
  }

  /** The model's configuration. */
  public ModelConfig config() {
    return config;
  }

  /** The rank of the adapter of the input embedding, or 0. */
  public int embeddingRank() {
    return embeddingRank;
  }

  /** Its factor. */
  public double embeddingScale() {
    return embeddingScale;
  }

  /** The rank of the adapter of the output embedding, or 0. */
  public int headRank() {
    return headRank;
  }

  /** Its factor. */
  public double headScale() {
    return headScale;
  }

  /** The index of a fused product's weight among a layer's tensors. */
  public static int weightIndex(int group) {
    return WEIGHT_INDEX[group];
  }

  /** The index of a fused product's bias among a layer's tensors. */
  public static int biasIndex(int group) {
    return WEIGHT_INDEX[group] + 1;
  }

  /** Whether nothing carries an adapter. */
  public boolean isEmpty() {
    return embeddingRank == 0 && headRank == 0 && lowestLayer() == layers();
  }

  /** The number of decoder layers. */
  public int layers() {
    return ranks.length;
  }

  /** The modules of a fused product, as indices. */
  public int[] members(int group) {
    int[] out = new int[GROUP_START[group + 1] - GROUP_START[group]];
    for (int i = 0; i < out.length; i++) {
      out[i] = GROUP_START[group] + i;
    }
    return out;
  }

  /** The full name of a module. */
  public String name(int layer, int module) {
    return module(config, layer, module);
  }

  /** The rank of a module's adapter; 0 where it has none. */
  public int moduleRank(int layer, int module) {
    return ranks[layer][module];
  }

  /** The factor of B A: alpha / rank, or alpha / sqrt(rank). */
  public double scale(int layer, int module) {
    return scales[layer][module];
  }

  /** The sum of the ranks within a fused product. */
  public int rank(int layer, int group) {
    int sum = 0;
    for (int j : members(group)) {
      sum += ranks[layer][j];
    }
    return sum;
  }

  /** The rows of A that the kernels read: with a frozen start, twice the rank. */
  public int rows(int layer, int group) {
    return (kind.startFrozen ? 2 : 1) * rank(layer, group);
  }

  /** The outputs of the adapted modules of a fused product. */
  public long adaptedOutputs(int layer, int group) {
    long sum = 0;
    for (int j : members(group)) {
      sum += ranks[layer][j] == 0 ? 0 : moduleOutputs(j);
    }
    return sum;
  }

  /** The numbers in all B's of a fused product. */
  public long sizeOfB(int layer, int group) {
    long sum = 0;
    for (int j : members(group)) {
      sum += (long) moduleOutputs(j) * ranks[layer][j];
    }
    return sum;
  }

  /** The inputs of a fused product. */
  public int inputs(int group) {
    return switch (group) {
      case 1 -> config.heads() * config.headDim();
      case 3 -> config.intermediateSize();
      default -> config.hiddenSize();
    };
  }

  /** The outputs of a fused product. */
  public int outputs(int group) {
    int sum = 0;
    for (int j : members(group)) {
      sum += moduleOutputs(j);
    }
    return sum;
  }

  /** The outputs of a module. */
  public int moduleOutputs(int module) {
    if (isGap(config, module)) {
      return 0;
    }
    return switch (module) {
      case 0 -> config.heads() * config.headDim();
      case 1, 2 -> config.keyValueHeads() * config.headDim();
      case 4, 5 -> config.intermediateSize();
      default -> config.hiddenSize();
    };
  }

  /** Rows and rank of each module of a layer in turn, as the kernels take them. */
  public long[] blocks(int layer) {
    long[] out = new long[2 * MODULES.size()];
    for (int j = 0; j < MODULES.size(); j++) {
      out[2 * j] = moduleOutputs(j);
      out[2 * j + 1] = ranks[layer][j];
    }
    return out;
  }

  /** Those of {@link #blocks(int)} that belong to a fused product. */
  public long[] blocks(int layer, int group) {
    return Arrays.copyOfRange(blocks(layer), 2 * GROUP_START[group], 2 * GROUP_START[group + 1]);
  }

  /** The scales of the modules of a fused product. */
  public double[] scales(int layer, int group) {
    return Arrays.copyOfRange(scales[layer], GROUP_START[group], GROUP_START[group + 1]);
  }

  /** The scales of the modules of a layer. */
  public double[] scales(int layer) {
    return scales[layer].clone();
  }

  /** The lowest layer that carries an adapter; {@link #layers()} if none does. */
  public int lowestLayer() {
    for (int i = 0; i < layers(); i++) {
      for (int r : ranks[i]) {
        if (r > 0) {
          return i;
        }
      }
    }
    return layers();
  }
}
