package dev.fettle.internal.gguf;

import dev.fettle.internal.model.LayerConfig;
import dev.fettle.internal.model.LayerConfig.Linear;
import dev.fettle.internal.model.LayerConfig.Norm;
import dev.fettle.internal.model.LayerConfig.Part;
import dev.fettle.internal.model.LayerVector;
import dev.fettle.internal.model.ModelConfig;
import dev.fettle.internal.model.OuterWeight;
import dev.fettle.internal.model.Product;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * What llama.cpp calls the weights of a model, derived from the place that each has in its description: none is named here that
 * another family could not have too.
 */
public final class GgufNames {
  /** The output embedding. */
  public static final String OUTPUT = "output.weight";
  /** The input embedding. */
  public static final String EMBEDDING = "token_embd.weight";

  /** What chooses experts. */
  static final String ROUTER = "ffn_gate_inp";

  private static final String WEIGHT = ".weight";
  private static final String BIAS = ".bias";
  private static final Map<LayerVector, String> NORMS = Map.of(LayerVector.ATTENTION_NORM, "attn_norm",
      LayerVector.ATTENTION_OUT_NORM, "post_attention_norm", LayerVector.Q_NORM, "attn_q_norm", LayerVector.K_NORM, "attn_k_norm",
      LayerVector.MLP_NORM, "ffn_norm", LayerVector.MLP_OUT_NORM, "post_ffw_norm");
  private static final List<String> QUERY_KEY_VALUE = List.of("attn_q", "attn_k", "attn_v");
  private static final List<String> GATE_UP = List.of("ffn_gate", "ffn_up");

  private final ModelConfig config;
  private final GgufFamily family;
  private final Map<String, GgufWeight> tensors = new LinkedHashMap<>();

  private GgufNames(ModelConfig config, GgufFamily family) {
    this.config = config;
    this.family = family;
  }

  /** All tensors of a model by their names, in llama.cpp's order. */
  public static Map<String, GgufWeight> of(ModelConfig config, GgufFamily family) {
    GgufNames names = new GgufNames(config, family);
    names.outer(OuterWeight.Place.EMBEDDING, EMBEDDING);
    names.outer(OuterWeight.Place.FINAL_NORM, "output_norm.weight");
    names.outer(OuterWeight.Place.HEAD, OUTPUT);
    if (config.tiedEmbeddings() && family.needsOutput()) {
      GgufWeight embedding = names.tensors.get(EMBEDDING);
      names.add(new GgufWeight(OUTPUT, embedding.shape(), embedding.parts(), 0, false));
    }
    for (int i = 0; i < config.layers().size(); i++) {
      names.layer("blk." + i + ".", config.layers().get(i));
    }
    return names.tensors;
  }

  private void add(GgufWeight weight) {
    tensors.put(weight.name(), weight);
  }

  private void outer(OuterWeight.Place place, String name) {
    Stream.concat(config.embeddings().stream(), config.outputs().stream()).filter(w -> w.place() == place).forEach(w ->
        add(new GgufWeight(name, w.columns() == 0 ? new long[] {w.rows()} : new long[] {w.rows(), w.columns()},
            List.of(new GgufWeight.Part(w.name(), 0, w.rows())), 0,
            place == OuterWeight.Place.FINAL_NORM && config.numbers().unitOffset())));
  }

  private void layer(String path, LayerConfig layer) {
    for (Part part : layer.parts()) {
      if (part instanceof Norm norm) {
        add(new GgufWeight(path + NORMS.get(norm.place()) + WEIGHT, new long[] {norm.size()},
            List.of(new GgufWeight.Part(layer.path() + norm.name() + WEIGHT, 0, norm.size())), 0, layer.numbers().unitOffset()));
      }
    }
    for (Product product : layer.products()) {
      List<Linear> linears = layer.linears(product);
      switch (product) {
        case QKV -> qkv(path, layer, linears);
        case GATE_UP -> gateUp(path, layer, linears);
        case O -> one(path + "attn_output", layer, linears.get(0));
        case DOWN -> one(path + "ffn_down", layer, linears.get(0));
        case ROUTER -> one(path + ROUTER, layer, linears.get(0));
        case EXPERTS_GATE_UP -> {
          experts(path + "ffn_gate_exps", layer, linears, 0, 2);
          experts(path + "ffn_up_exps", layer, linears, 1, 2);
        }
        case EXPERTS_DOWN -> experts(path + "ffn_down_exps", layer, linears, 0, 1);
        default -> throw new IllegalArgumentException(product.name());
      }
    }
  }

  private void qkv(String path, LayerConfig layer, List<Linear> linears) {
    if (linears.size() == 1) {
      one(path + "attn_qkv", layer, linears.get(0));
      return;
    }
    int[] heads = {layer.numbers().heads(), layer.numbers().kvHeads(), 0};
    for (int i = 0; i < linears.size(); i++) {
      Linear linear = linears.get(i);
      linear(path + QUERY_KEY_VALUE.get(i), layer, linear, 0, linear.outputs(), family.turnsNeighbours() ? heads[i] : 0);
    }
  }

  private void gateUp(String path, LayerConfig layer, List<Linear> linears) {
    if (linears.size() == 2) {
      one(path + GATE_UP.get(0), layer, linears.get(0));
      one(path + GATE_UP.get(1), layer, linears.get(1));
    } else if (family.fusesGateAndUp()) {
      one(path + GATE_UP.get(1), layer, linears.get(0));
    } else {
      int half = linears.get(0).outputs() / 2;
      linear(path + GATE_UP.get(0), layer, linears.get(0), 0, half, 0);
      linear(path + GATE_UP.get(1), layer, linears.get(0), half, half, 0);
    }
  }

  private void one(String name, LayerConfig layer, Linear linear) {
    linear(name, layer, linear, 0, linear.outputs(), 0);
  }

  private void linear(String name, LayerConfig layer, Linear linear, int from, int rows, int heads) {
    add(new GgufWeight(name + WEIGHT, new long[] {rows, linear.inputs()},
        List.of(new GgufWeight.Part(layer.module(linear) + WEIGHT, from, rows)), heads, false));
    if (linear.bias()) {
      add(new GgufWeight(name + BIAS, new long[] {rows},
          List.of(new GgufWeight.Part(layer.module(linear) + BIAS, from, rows)), heads, false));
    }
  }

  private void experts(String name, LayerConfig layer, List<Linear> linears, int first, int step) {
    List<GgufWeight.Part> parts = new ArrayList<>();
    for (int i = first; i < linears.size(); i += step) {
      parts.add(new GgufWeight.Part(layer.module(linears.get(i)) + WEIGHT, 0, linears.get(i).outputs()));
    }
    add(new GgufWeight(name + WEIGHT, new long[] {parts.size(), linears.get(0).outputs(), linears.get(0).inputs()}, parts, 0, false));
  }
}
