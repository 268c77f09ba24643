package dev.fettle.internal.gguf;

import dev.fettle.internal.gguf.GgufFamily.Trait;
import dev.fettle.internal.gguf.GgufWeight.Change;
import dev.fettle.internal.model.LayerConfig;
import dev.fettle.internal.model.LayerConfig.Linear;
import dev.fettle.internal.model.LayerConfig.Norm;
import dev.fettle.internal.model.LayerConfig.Numbers;
import dev.fettle.internal.model.LayerConfig.Part;
import dev.fettle.internal.model.LayerNumbers.Delta;
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
  /** The weights of a layer's convolution. */
  static final String CONVOLUTION = "ssm_conv1d";

  private static final String WEIGHT = ".weight";
  private static final String BIAS = ".bias";
  private static final Map<LayerVector, String> NORMS = Map.of(LayerVector.ATTENTION_NORM, "attn_norm",
      LayerVector.ATTENTION_OUT_NORM, "post_attention_norm", LayerVector.Q_NORM, "attn_q_norm", LayerVector.K_NORM, "attn_k_norm",
      LayerVector.MLP_NORM, "ffn_norm", LayerVector.MLP_OUT_NORM, "post_ffw_norm", LayerVector.DELTA_NORM, "ssm_norm");
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
      names.add(GgufWeight.plain(OUTPUT, embedding.shape(), embedding.parts()));
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
            all(w.name(), w.rows()), GgufOrder.SAME,
            place == OuterWeight.Place.FINAL_NORM && config.numbers().unitOffset() ? Change.PLUS_ONE : Change.NONE)));
  }

  private static List<GgufWeight.Part> all(String weight, long rows) {
    return List.of(new GgufWeight.Part(weight, 0, rows, GgufOrder.SAME));
  }

  private void layer(String path, LayerConfig layer) {
    for (Part part : layer.parts()) {
      if (part instanceof Norm norm) {
        norm(path, layer, norm);
      } else if (part instanceof Numbers numbers) {
        numbers(path, layer, numbers);
      }
    }
    for (Product product : layer.products()) {
      List<Linear> linears = layer.linears(product);
      switch (product) {
        case QKV -> {
          if (layer.hasState()) {
            state(path, layer, linears);
          } else {
            qkv(path, layer, linears);
          }
        }
        case GATE_UP -> gateUp(path, layer, linears);
        case O -> output(path, layer, linears.get(0));
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

  private void norm(String path, LayerConfig layer, Norm norm) {
    // Some families have the second norm by the name that files in Hugging Face layout have for it.
    boolean second = norm.place() == LayerVector.MLP_NORM && family.has(Trait.STATES);
    boolean ownScale = layer.numbers().unitOffset() && norm.place() != LayerVector.DELTA_NORM;
    add(new GgufWeight(path + NORMS.get(second ? LayerVector.ATTENTION_OUT_NORM : norm.place()) + WEIGHT, new long[] {norm.size()},
        all(layer.path() + norm.name() + WEIGHT, norm.size()), GgufOrder.SAME, ownScale ? Change.PLUS_ONE : Change.NONE));
  }

  private void numbers(String path, LayerConfig layer, Numbers numbers) {
    Delta delta = layer.numbers().delta();
    String weight = layer.path() + numbers.name();
    long heads = delta.valueHeads();
    var eachHead = List.of(new GgufWeight.Part(weight, 0, heads, values(delta, 1)));
    switch (numbers.place()) {
      case CONVOLUTION -> add(GgufWeight.plain(path + CONVOLUTION + WEIGHT, new long[] {delta.convolved(), delta.width()},
          convolved(weight, delta)));
      case DECAY -> add(new GgufWeight(path + "ssm_a", new long[] {heads}, eachHead, GgufOrder.SAME, Change.DECAY));
      case DECAY_BIAS -> add(GgufWeight.plain(path + "ssm_dt" + BIAS, new long[] {heads}, eachHead));
      default -> throw new IllegalArgumentException(numbers.place().name());
    }
  }

  /** llama.cpp repeats queries and keys as a whole where transformers repeats each head: values stand in another order. */
  private static GgufOrder values(Delta delta, int dim) {
    return GgufOrder.byKeyHeads(delta.keyHeads(), delta.valueHeads() / delta.keyHeads(), dim);
  }

  private static List<GgufWeight.Part> convolved(String weight, Delta delta) {
    return List.of(new GgufWeight.Part(weight, 0, 2L * delta.keys(), GgufOrder.SAME),
        new GgufWeight.Part(weight, 2L * delta.keys(), delta.values(), values(delta, delta.valueDim())));
  }

  /** What a layer with a state reads: queries, keys and values in one, their gate, and two numbers for each head. */
  private void state(String path, LayerConfig layer, List<Linear> linears) {
    Delta delta = layer.numbers().delta();
    Linear all = linears.get(0);
    add(GgufWeight.plain(path + "attn_qkv" + WEIGHT, new long[] {all.outputs(), all.inputs()},
        convolved(layer.module(all) + WEIGHT, delta)));
    linear(path + "attn_gate", layer, linears.get(1), 0, linears.get(1).outputs(), values(delta, delta.valueDim()));
    linear(path + "ssm_beta", layer, linears.get(2), 0, linears.get(2).outputs(), values(delta, 1));
    linear(path + "ssm_alpha", layer, linears.get(3), 0, linears.get(3).outputs(), values(delta, 1));
  }

  private void output(String path, LayerConfig layer, Linear linear) {
    if (layer.hasState()) {
      Delta delta = layer.numbers().delta();
      add(new GgufWeight(path + "ssm_out" + WEIGHT, new long[] {linear.outputs(), linear.inputs()},
          all(layer.module(linear) + WEIGHT, linear.outputs()), values(delta, delta.valueDim()), Change.NONE));
    } else {
      one(path + "attn_output", layer, linear);
    }
  }

  private void qkv(String path, LayerConfig layer, List<Linear> linears) {
    if (linears.size() == 1) {
      one(path + "attn_qkv", layer, linears.get(0));
      return;
    }
    for (int i = 0; i < linears.size(); i++) {
      Linear linear = linears.get(i);
      boolean turned = family.turnsNeighbours() && i < 2;
      linear(path + QUERY_KEY_VALUE.get(i), layer, linear, 0, linear.outputs(),
          turned ? GgufOrder.halves(layer.headDim()) : GgufOrder.SAME);
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
      linear(path + GATE_UP.get(0), layer, linears.get(0), 0, half, GgufOrder.SAME);
      linear(path + GATE_UP.get(1), layer, linears.get(0), half, half, GgufOrder.SAME);
    }
  }

  private void one(String name, LayerConfig layer, Linear linear) {
    linear(name, layer, linear, 0, linear.outputs(), GgufOrder.SAME);
  }

  private void linear(String name, LayerConfig layer, Linear linear, int from, int rows, GgufOrder order) {
    String module = layer.module(linear);
    add(GgufWeight.plain(name + WEIGHT, new long[] {rows, linear.inputs()},
        List.of(new GgufWeight.Part(module + WEIGHT, from, rows, order))));
    if (linear.bias()) {
      add(GgufWeight.plain(name + BIAS, new long[] {rows}, List.of(new GgufWeight.Part(module + BIAS, from, rows, order))));
    }
  }

  private void experts(String name, LayerConfig layer, List<Linear> linears, int first, int step) {
    List<GgufWeight.Part> parts = new ArrayList<>();
    for (int i = first; i < linears.size(); i += step) {
      parts.addAll(all(layer.module(linears.get(i)) + WEIGHT, linears.get(i).outputs()));
    }
    add(GgufWeight.plain(name + WEIGHT, new long[] {parts.size(), linears.get(0).outputs(), linears.get(0).inputs()}, parts));
  }
}
