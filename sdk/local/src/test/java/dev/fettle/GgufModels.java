package dev.fettle;

import dev.fettle.internal.json.JsonPrinter;
import dev.fettle.support.Golden;
import dev.fettle.support.RandomCheckpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** Models for tests of GGUF: those of the golden values, and of each family one that llama.cpp can express, where those are none. */
final class GgufModels {
  private static final Map<String, Map<String, Object>> MADE = new LinkedHashMap<>();

  static {
    Map<String, Object> gemma = Map.of("head_dim", 16, "query_pre_attn_scalar", 16, "sliding_window", 6, "num_hidden_layers", 4,
        "tie_word_embeddings", true);
    MADE.put("gemma2", gemma);
    MADE.put("gemma3_text", with(gemma, "sliding_window_pattern", 3, "final_logit_softcapping", 4.0,
        "rope_scaling", Map.of("rope_type", "linear", "factor", 4.0)));
    MADE.put("ministral3", Map.of("head_dim", 12, "rope_parameters", Map.of("rope_type", "yarn", "factor", 4.0, "rope_theta", 500.0,
        "original_max_position_embeddings", 16, "attention_factor", 1.3, "beta_fast", 8.0, "llama_4_scaling_beta", 0.2)));
    MADE.put("qwen3_5_text", with(Map.of("head_dim", 12, "rms_norm_eps", 1e-6, "layer_types", List.of("linear_attention",
        "full_attention", "linear_attention"), "linear_num_key_heads", 2, "linear_num_value_heads", 6, "linear_key_head_dim", 8,
        "linear_value_head_dim", 8, "linear_conv_kernel_dim", 3, "rope_parameters", Map.of("rope_type", "default",
            "partial_rotary_factor", 0.5, "rope_theta", 500.0)), "attention_bias", false));
    MADE.put("smollm3", Map.of("num_hidden_layers", 5, "use_sliding_window", false));
    MADE.put("olmo3", Map.of("sliding_window", 6, "num_hidden_layers", 5, "num_key_value_heads", 2, "rope_parameters", Map.of(
        "full_attention", Map.of("rope_type", "yarn", "factor", 4.0, "rope_theta", 500.0, "original_max_position_embeddings", 16),
        "sliding_attention", Map.of("rope_type", "default", "rope_theta", 500.0))));
    Map<String, Object> experts = Map.of("num_experts", 6, "num_experts_per_tok", 2, "moe_intermediate_size", 24);
    MADE.put("qwen3_moe", with(experts, "norm_topk_prob", true, "head_dim", 12));
    MADE.put("olmoe", with(experts, "num_key_value_heads", 4, "norm_topk_prob", false));
    MADE.put("phi3", Map.of("sliding_window", 1000));
    MADE.put("granite", Map.of("attention_multiplier", 0.3, "residual_multiplier", 0.4, "embedding_multiplier", 3.0, "logits_scaling", 2.0,
        "attention_bias", true, "mlp_bias", true));
    MADE.put("mistral", Map.of("sliding_window", 1000, "rope_scaling", Map.of("rope_type", "yarn", "factor", 4.0,
        "original_max_position_embeddings", 16, "attention_factor", 1.3)));
  }

  private GgufModels() {}

  private static Map<String, Object> with(Map<String, Object> some, Object... more) {
    Map<String, Object> all = new LinkedHashMap<>(some);
    for (int i = 0; i < more.length; i += 2) {
      all.put((String) more[i], more[i + 1]);
    }
    return all;
  }

  /** All names: {@code models/NAME}, {@code families/NAME}, {@code made/TYPE}. */
  static List<String> names() throws IOException {
    try (Stream<Path> some = Files.list(Golden.path("models")); Stream<Path> more = Files.list(Golden.path("families"))) {
      return Stream.concat(Stream.concat(some, more).filter(Files::isDirectory)
          .map(d -> d.getParent().getFileName() + "/" + d.getFileName()), MADE.keySet().stream().map(type -> "made/" + type))
          .sorted().toList();
    }
  }

  /** The directory of a name; one that is to be made is made below another. */
  static Path directory(String name, Path below) throws IOException {
    if (!name.startsWith("made/")) {
      return Golden.path(name);
    }
    Path directory = below.resolve(name);
    if (!Files.exists(directory)) {
      String type = name.substring("made/".length());
      Map<String, Object> config = with(Map.of("model_type", type, "hidden_size", 32, "intermediate_size", 48, "vocab_size", 64,
          "num_hidden_layers", 3, "num_attention_heads", 4, "num_key_value_heads", 2, "max_position_embeddings", 128), "rope_theta", 500.0,
          "tie_word_embeddings", false, "eos_token_id", 2, "bos_token_id", 1, "rms_norm_eps", 1e-5, "pad_token_id", 0);
      config.putAll(MADE.get(type));
      RandomCheckpoint.write(directory, JsonPrinter.line(config));
    }
    return directory;
  }
}
