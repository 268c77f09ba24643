package dev.fettle.internal.model;

import dev.fettle.internal.checkpoint.StoredType;
import dev.fettle.internal.checkpoint.StrictJson;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** Writes config.json in the form of transformers 4, which transformers 5 reads too. */
public final class ModelConfigJson {
  private static final Map<String, String> CLASSES =
      Map.of(
          "llama", "LlamaForCausalLM",
          "mistral", "MistralForCausalLM",
          "qwen2", "Qwen2ForCausalLM",
          "qwen3", "Qwen3ForCausalLM");

  private ModelConfigJson() {}

  /** The text of a config.json for weights of the given type. */
  public static String write(ModelConfig config, StoredType weights) {
    Objects.requireNonNull(config, "config");
    Objects.requireNonNull(weights, "weights");
    ObjectNode root = JsonNodeFactory.instance.objectNode();
    root.putArray("architectures").add(CLASSES.get(config.architecture()));
    root.put("model_type", config.architecture());
    root.put("vocab_size", config.vocabSize());
    root.put("hidden_size", config.hiddenSize());
    root.put("intermediate_size", config.intermediateSize());
    root.put("num_hidden_layers", config.layers());
    root.put("num_attention_heads", config.heads());
    root.put("num_key_value_heads", config.keyValueHeads());
    root.put("head_dim", config.headDim());
    root.put("max_position_embeddings", config.contextLength());
    root.put("hidden_act", "silu");
    root.put("rms_norm_eps", config.rmsNormEps());
    root.put("attention_dropout", 0.0);
    rope(root, config.rope());
    switch (config.architecture()) {
      case "llama" -> root.put("attention_bias", config.queryKeyValueBias()).put("mlp_bias", config.mlpBias());
      case "qwen3" -> root.put("attention_bias", config.queryKeyValueBias());
      default -> { }
    }
    windows(root, config);
    root.put("tie_word_embeddings", config.tiedEmbeddings());
    if (config.bosId().isPresent()) {
      root.put("bos_token_id", config.bosId().getAsInt());
    } else {
      root.putNull("bos_token_id");
    }
    eos(root, config.eosIds());
    root.put("torch_dtype", weights.torchName());
    root.put("use_cache", true);
    return StrictJson.write(root);
  }

  /**
   * The text of a config.json with the type of the weights and the tying of the output layer replaced, all else as it
   * is; source names it in errors.
   */
  public static String edit(String json, String source, StoredType weights, boolean tied) {
    ObjectNode root = retyped(json, source, weights);
    root.put("tie_word_embeddings", tied);
    return StrictJson.write(root);
  }

  /** The same of an encoder, whose output layer nobody has: the file names the bare model, without heads. */
  public static String editEncoder(String json, String source, StoredType weights) {
    ObjectNode root = retyped(json, source, weights);
    root.putArray("architectures").add("BertModel");
    return StrictJson.write(root);
  }

  private static ObjectNode retyped(String json, String source, StoredType weights) {
    ObjectNode root = (ObjectNode) StrictJson.parse(json, source);
    if (root.has("torch_dtype") || !root.has("dtype")) {
      root.put("torch_dtype", weights.torchName());
    }
    if (root.has("dtype")) {
      root.put("dtype", weights.torchName());
    }
    return root;
  }

  private static void rope(ObjectNode root, Rope rope) {
    root.put("rope_theta", rope.theta());
    if (rope instanceof Rope.Linear linear) {
      root.putObject("rope_scaling").put("rope_type", "linear").put("factor", linear.factor());
    } else if (rope instanceof Rope.Llama3 llama3) {
      root.putObject("rope_scaling")
          .put("rope_type", "llama3")
          .put("factor", llama3.factor())
          .put("low_freq_factor", llama3.lowFrequencyFactor())
          .put("high_freq_factor", llama3.highFrequencyFactor())
          .put("original_max_position_embeddings", llama3.originalContextLength());
    } else {
      root.putNull("rope_scaling");
    }
  }

  private static void windows(ObjectNode root, ModelConfig config) {
    int window = Collections.max(config.slidingWindows());
    boolean qwen = config.architecture().startsWith("qwen");
    if (qwen) {
      root.put("use_sliding_window", window > 0);
      // Versions before layer_types know only this: from which layer on there is a window.
      int full = (int) config.slidingWindows().stream().takeWhile(each -> each == 0).count();
      root.put("max_window_layers", full);
      ArrayNode types = root.putArray("layer_types");
      config.slidingWindows().forEach(each -> types.add(each > 0 ? "sliding_attention" : "full_attention"));
    }
    if (qwen || config.architecture().equals("mistral")) {
      if (window > 0) {
        root.put("sliding_window", window);
      } else {
        root.putNull("sliding_window");
      }
    }
  }

  private static void eos(ObjectNode root, List<Integer> ids) {
    if (ids.isEmpty()) {
      root.putNull("eos_token_id");
    } else if (ids.size() == 1) {
      root.put("eos_token_id", ids.get(0));
    } else {
      ArrayNode list = root.putArray("eos_token_id");
      ids.forEach(list::add);
    }
  }
}
