package dev.fettle.internal.model;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.function.ToIntFunction;

/** Which linear layers of a model carry an adapter, by which rank and scale. Immutable. */
public final class AdapterShape {
  /** Fused products a layer: qkv, o, gate-up, down. */
  public static final int GROUPS = 4;
  /** The linear layers of a decoder layer, in the order of the kernels, and the group that each belongs to. */
  static final List<String> MODULES = List.of("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj",
      "self_attn.o_proj", "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj");
  private static final int[] GROUP_START = {0, 3, 4, 6, 7};
  private static final List<String> ENCODER_MODULES = List.of("attention.self.query", "attention.self.key",
      "attention.self.value", "attention.output.dense", "intermediate.dense", "output.dense");
  private static final int[] ENCODER_GROUP_START = {0, 3, 4, 5, 6};

  private final ModelConfig config;
  private final int modules;
  private final int[] groupStart;
  private final int[][] ranks;
  private final double[][] scales;

  private AdapterShape(ModelConfig config) {
    this.config = config;
    this.modules = modulesOf(config).size();
    this.groupStart = config.encoder() ? ENCODER_GROUP_START : GROUP_START;
    this.ranks = new int[config.layers()][modules];
    this.scales = new double[config.layers()][modules];
  }

  /** A shape from the rank (0 for no adapter) and scale of each module, by its full name. */
  public static AdapterShape of(ModelConfig config, ToIntFunction<String> rank, ToDoubleFunction<String> scale) {
    AdapterShape shape = new AdapterShape(config);
    for (int i = 0; i < config.layers(); i++) {
      for (int j = 0; j < shape.modules; j++) {
        String name = module(config, i, j);
        shape.ranks[i][j] = rank.applyAsInt(name);
        shape.scales[i][j] = shape.ranks[i][j] == 0 ? 0 : scale.applyAsDouble(name);
      }
    }
    return shape;
  }

  /** No adapter anywhere. */
  public static AdapterShape none(ModelConfig config) {
    return of(config, name -> 0, name -> 0);
  }

  /** The names of all modules that can carry an adapter, in order. */
  public static List<String> modules(ModelConfig config) {
    List<String> names = new ArrayList<>();
    for (int i = 0; i < config.layers(); i++) {
      for (int j = 0; j < modulesOf(config).size(); j++) {
        names.add(module(config, i, j));
      }
    }
    return names;
  }

  private static List<String> modulesOf(ModelConfig config) {
    return config.encoder() ? ENCODER_MODULES : MODULES;
  }

  private static String module(ModelConfig config, int layer, int module) {
    return (config.encoder() ? "encoder.layer." : "model.layers.") + layer + "." + modulesOf(config).get(module);
  }

  /** The number of decoder layers. */
  public int layers() {
    return ranks.length;
  }

  /** The modules of a fused product, as indices. */
  public int[] members(int group) {
    int[] out = new int[groupStart[group + 1] - groupStart[group]];
    for (int i = 0; i < out.length; i++) {
      out[i] = groupStart[group] + i;
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
    if (config.encoder()) {
      return module == 4 ? config.intermediateSize() : config.hiddenSize();
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
    long[] out = new long[2 * modules];
    for (int j = 0; j < modules; j++) {
      out[2 * j] = moduleOutputs(j);
      out[2 * j + 1] = ranks[layer][j];
    }
    return out;
  }

  /** Those of {@link #blocks(int)} that belong to a fused product. */
  public long[] blocks(int layer, int group) {
    return Arrays.copyOfRange(blocks(layer), 2 * groupStart[group], 2 * groupStart[group + 1]);
  }

  /** The scales of the modules of a fused product. */
  public double[] scales(int layer, int group) {
    return Arrays.copyOfRange(scales[layer], groupStart[group], groupStart[group + 1]);
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
