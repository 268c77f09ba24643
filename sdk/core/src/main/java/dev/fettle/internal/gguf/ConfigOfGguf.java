package dev.fettle.internal.gguf;

import dev.fettle.UnsupportedModelException;
import dev.fettle.internal.checkpoint.StrictJson;
import dev.fettle.internal.gguf.GgufFamily.Trait;
import dev.fettle.internal.json.ArrayNode;
import dev.fettle.internal.json.ObjectNode;
import dev.fettle.internal.model.Architectures;
import java.util.Arrays;

/** What a GGUF says of its model, in the words of a {@code config.json}, which {@link ModelMetadata} is the other way of. */
final class ConfigOfGguf {
  private static final int MOST = 1 << 26;
  private static final int GEMMA_WINDOW = 4096;
  private static final double GEMMA3_LOCAL_THETA = 10_000;
  private static final String WINDOW = "attention.sliding_window";
  private static final String PATTERN = "attention.sliding_window_pattern";

  private final GgufFile file;
  private final Metadata from;
  private final GgufFamily family;
  private final ObjectNode config = new ObjectNode();

  private ConfigOfGguf(GgufFile file, GgufFamily family) {
    this.file = file;
    this.from = file.metadata();
    this.family = family;
  }

  /** The family of a file, and UnsupportedModelException for one that is none, or no model. */
  static GgufFamily family(Metadata from) {
    String kind = from.text("general.type").orElse("model");
    if (!kind.equals("model")) {
      throw new UnsupportedModelException(from.source() + ": is not a model but of the type " + kind + " (general.type)");
    }
    int parts = from.whole("split.count", 0, MOST).orElse(1);
    if (parts > 1) {
      throw new UnsupportedModelException(from.source() + ": is one of " + parts + " files of a model (split.count); join them first, with "
          + "llama-gguf-split --merge");
    }
    String name = from.requiredText("general.architecture");
    return GgufFamily.named(name).orElseThrow(() -> new UnsupportedModelException(from.source() + ": general.architecture is " + name
        + "; those that are read are " + String.join(", ", Arrays.stream(GgufFamily.values()).map(GgufFamily::id).toList())));
  }

  /** Layers behind the others, which predict several tokens ahead and are not read. */
  static int ahead(Metadata from, GgufFamily family) {
    String blocks = family.id() + ".block_count";
    return from.whole(family.id() + ".nextn_predict_layers", 0, from.requiredWhole(blocks, 1, MOST) - 1).orElse(0);
  }

  static String json(GgufFile file, GgufFamily family) {
    ConfigOfGguf reader = new ConfigOfGguf(file, family);
    reader.sizes();
    reader.particulars();
    RopeOfGguf.put(file, family, reader.config);
    return StrictJson.write(reader.config);
  }

  private int required(String key, int max) {
    return from.requiredWhole(key(key), 1, max);
  }

  /** A number that some files give for each layer: it must be the same for all. */
  private int ofLayers(String key, int max, int whenAbsent) {
    String name = key(key);
    if (!from.has(name) && whenAbsent > 0) {
      return whenAbsent;
    }
    if (from.has(name) && from.values().get(name).isArray()) {
      long[] all = from.wholes(name).orElseThrow();
      if (all.length == 0 || all[0] < 1 || all[0] > max || Arrays.stream(all).distinct().count() > 1) {
        throw new UnsupportedModelException(file.path() + ": " + name + " differs from layer to layer, which is not supported");
      }
      return (int) all[0];
    }
    return required(key, max);
  }

  private String key(String key) {
    return family.id() + "." + key;
  }

  private void sizes() {
    GgufTensor embedding = file.tensors().get(GgufNames.EMBEDDING);
    if (embedding == null || embedding.shape().length != 2) {
      throw from.missing("tensor " + GgufNames.EMBEDDING + " of two dimensions");
    }
    int hidden = required("embedding_length", MOST);
    int heads = ofLayers("attention.head_count", MOST, 0);
    int headDim = from.whole(key("attention.key_length"), 1, MOST).orElse(hidden / heads);
    if (from.whole(key("attention.value_length"), 1, MOST).orElse(headDim) != headDim) {
      throw from.invalid(key("attention.value_length"), "that of keys, " + headDim);
    }
    config.put("model_type", type());
    config.putArray("architectures").add(Architectures.className(type()));
    config.put("vocab_size", Math.min(MOST, embedding.shape()[0]));
    config.put("hidden_size", hidden);
    config.put("num_hidden_layers", required("block_count", MOST) - ahead(from, family));
    config.put("num_attention_heads", heads);
    config.put("num_key_value_heads", ofLayers("attention.head_count_kv", MOST, heads));
    config.put("head_dim", headDim);
    config.put("intermediate_size", ofLayers("feed_forward_length", MOST, 0));
    config.put("max_position_embeddings", required("context_length", Integer.MAX_VALUE));
    config.put("rms_norm_eps", from.number(key("attention.layer_norm_rms_epsilon"))
        .orElseThrow(() -> from.missing(key("attention.layer_norm_rms_epsilon"))));
    config.put("tie_word_embeddings", !file.tensors().containsKey(GgufNames.OUTPUT));
    config.put("torch_dtype", switch (embedding.type()) {
      case F16 -> "float16";
      case BF16 -> "bfloat16";
      default -> "float32";
    });
    from.whole(TokenizerMetadata.BOS, 0, MOST).ifPresent(id -> config.put("bos_token_id", id));
    from.whole(TokenizerMetadata.EOS, 0, MOST).ifPresent(id -> config.put("eos_token_id", id));
  }

  /** The {@code model_type}: families that llama.cpp has one name for are told apart by what they say. */
  private String type() {
    boolean window = from.whole(key(WINDOW), 0, Integer.MAX_VALUE).orElse(0) > 0;
    return switch (family) {
      case LLAMA -> window ? "mistral" : "llama";
      case MISTRAL3 -> from.number(key("attention.temperature_scale")).isPresent() ? "ministral3" : "mistral";
      case OLMO2 -> window ? "olmo3" : "olmo2";
      case GRANITE -> rotates() ? "granite" : "granitemoehybrid";
      default -> family.type();
    };
  }

  private void particulars() {
    boolean biased = file.tensors().containsKey("blk.0.attn_q.bias");
    config.put("attention_bias", biased);
    config.put("mlp_bias", file.tensors().containsKey("blk.0.ffn_down.bias"));
    int experts = from.whole(key("expert_count"), 0, MOST).orElse(0);
    if (experts > 0 && family != GgufFamily.QWEN3MOE && family != GgufFamily.OLMOE) {
      throw new UnsupportedModelException(file.path() + ": " + key("expert_count") + " is " + experts + ": experts are not supported in "
          + family.id() + " models");
    }
    if (experts > 0) {
      config.put("num_experts", experts);
      config.put("num_experts_per_tok", required("expert_used_count", MOST));
      config.put("norm_topk_prob", family.has(Trait.NORMALISED_EXPERTS));
      from.whole(key("expert_feed_forward_length"), 1, MOST).ifPresent(width -> config.put("moe_intermediate_size", width));
    }
    switch (family) {
      case GEMMA -> config.put("hidden_activation", "gelu_pytorch_tanh");
      case GEMMA2 -> {
        config.put("attn_logit_softcapping", from.number(key("attn_logit_softcapping")).orElse(50.0));
        config.put("final_logit_softcapping", from.number(key("final_logit_softcapping")).orElse(30.0));
        gemma(46, 2);
      }
      case GEMMA3 -> {
        from.number(key("final_logit_softcapping")).filter(cap -> cap > 0).ifPresent(cap -> config.put("final_logit_softcapping", cap));
        config.put("rope_local_base_freq", from.number(key("rope.freq_base_swa")).orElse(GEMMA3_LOCAL_THETA));
        gemma(62, 6);
      }
      case OLMO2 -> {
        if (type().equals("olmo3")) {
          windows(0, 4);
        }
      }
      case GRANITE -> granite();
      case QWEN35 -> states();
      case LLAMA, MISTRAL3, QWEN2, QWEN3, QWEN3MOE, SMOLLM3, PHI3 -> plainWindow();
      default -> {
        return;
      }
    }
  }

  /** What Gemma 2 and 3 have in common; of the models with so many layers scores are scaled by the width. */
  private void gemma(int layersOfLargest, int period) {
    int layers = config.path("num_hidden_layers").asInt();
    config.put("query_pre_attn_scalar", layers == layersOfLargest
        ? config.path("hidden_size").asInt() / config.path("num_attention_heads").asInt() : config.path("head_dim").asInt());
    windows(family == GgufFamily.GEMMA2 ? GEMMA_WINDOW : 0, period);
  }

  private void windows(int whenAbsent, int period) {
    int window = from.whole(key(WINDOW), 0, Integer.MAX_VALUE).orElse(whenAbsent);
    config.put("sliding_window", window > 0 ? window : null);
    ArrayNode types = config.putArray("layer_types");
    int layers = config.path("num_hidden_layers").asInt();
    boolean[] each = from.has(key(PATTERN)) && from.values().get(key(PATTERN)).isArray() ? from.flags(key(PATTERN)).orElseThrow() : null;
    if (each != null && each.length < layers) {
      throw from.invalid(key(PATTERN), "a value for each of the " + layers + " layers");
    }
    int every = each != null ? 1 : from.whole(key(PATTERN), 1, MOST).orElse(period);
    for (int i = 0; i < layers; i++) {
      boolean sliding = window > 0 && (each == null ? (i + 1) % every != 0 : each[i]);
      types.add(sliding ? "sliding_attention" : "full_attention");
    }
  }

  /** A window that llama.cpp notes and does not heed, in all layers or in some. */
  private void plainWindow() {
    int window = from.whole(key(WINDOW), 0, Integer.MAX_VALUE).orElse(0);
    if (window == 0) {
      config.putNull("sliding_window");
      return;
    }
    config.put("use_sliding_window", true);
    windows(0, MOST);
  }

  /** Layers with linear attention, by a flag for each or all but one of so many. */
  private void states() {
    int state = required("ssm.state_size", MOST);
    int heads = required("ssm.time_step_rank", MOST);
    if ((long) state * heads != required("ssm.inner_size", Integer.MAX_VALUE)) {
      throw from.invalid(key("ssm.inner_size"), "ssm.state_size for each of ssm.time_step_rank heads, " + (long) state * heads);
    }
    config.put("linear_key_head_dim", state).put("linear_value_head_dim", state).put("linear_num_value_heads", heads)
        .put("linear_num_key_heads", required("ssm.group_count", MOST)).put("linear_conv_kernel_dim", required("ssm.conv_kernel", MOST));
    int layers = config.path("num_hidden_layers").asInt();
    boolean[] each = from.flags(key("attention.recurrent_layers")).orElse(null);
    if (each != null && each.length < layers) {
      throw from.invalid(key("attention.recurrent_layers"), "a value for each of the " + layers + " layers");
    }
    int every = from.whole(key("full_attention_interval"), 1, MOST).orElse(4);
    ArrayNode types = config.putArray("layer_types");
    for (int i = 0; i < layers; i++) {
      types.add((each == null ? (i + 1) % every != 0 : each[i]) ? "linear_attention" : "full_attention");
    }
  }

  private void granite() {
    config.put("attention_multiplier", scale("attention.scale", 1 / Math.sqrt(config.path("head_dim").asInt())));
    config.put("residual_multiplier", scale("residual_scale", 1));
    config.put("embedding_multiplier", scale("embedding_scale", 1));
    config.put("logits_scaling", scale("logit_scale", 1));
    if (!rotates()) {
      config.put("num_local_experts", 0).put("position_embedding_type", "nope");
      config.put("shared_intermediate_size", config.path("intermediate_size").asInt());
      ArrayNode types = config.putArray("layer_types");
      for (int i = 0; i < config.path("num_hidden_layers").asInt(); i++) {
        types.add("attention");
      }
    }
  }

  private boolean rotates() {
    return from.yes(key("rope.scaling.finetuned")).orElse(true);
  }

  private double scale(String key, double whenAbsent) {
    double value = from.number(key(key)).orElse(0.0);
    return value == 0 ? whenAbsent : value;
  }
}
