package dev.fettle.internal.model;

import dev.fettle.internal.checkpoint.JsonFields;
import java.util.List;
import java.util.Map;

/** Settings of other architectures and of special variants that would change the mathematics: rejected, naming the key. */
final class UnsupportedKeys {
  private static final String EXPERTS = "mixture of experts";
  private static final String SCALING = "scaling of activations or logits";
  private static final String CAPPING = "soft caps on logits";
  private static final String ATTENTION = "another kind of attention";
  private static final String PARTS = "models of several parts";
  private static final String QUANTISED = "quantised weights";

  /** Keys that must be absent, null, false, 0 or empty, with what they stand for. */
  private static final Map<String, String> OFF =
      Map.ofEntries(
          Map.entry("quantization_config", QUANTISED),
          Map.entry("compression_config", QUANTISED),
          Map.entry("num_experts", EXPERTS),
          Map.entry("num_local_experts", EXPERTS),
          Map.entry("num_experts_per_tok", EXPERTS),
          Map.entry("n_routed_experts", EXPERTS),
          Map.entry("n_shared_experts", EXPERTS),
          Map.entry("moe_intermediate_size", EXPERTS),
          Map.entry("shared_expert_intermediate_size", EXPERTS),
          Map.entry("moe_num_experts", EXPERTS),
          Map.entry("attention_multiplier", SCALING),
          Map.entry("query_pre_attn_scalar", SCALING),
          Map.entry("scale_depth", SCALING),
          Map.entry("dim_model_base", SCALING),
          Map.entry("use_mup", SCALING),
          Map.entry("attn_logit_softcapping", CAPPING),
          Map.entry("final_logit_softcapping", CAPPING),
          Map.entry("logits_soft_cap", CAPPING),
          Map.entry("attn_temperature_tuning", ATTENTION),
          Map.entry("attention_chunk_size", ATTENTION),
          Map.entry("clip_qkv", ATTENTION),
          Map.entry("alibi", ATTENTION),
          Map.entry("kv_lora_rank", ATTENTION),
          Map.entry("q_lora_rank", ATTENTION),
          Map.entry("num_kv_shared_layers", ATTENTION),
          Map.entry("use_bidirectional_attention", ATTENTION),
          Map.entry("bidirectional", ATTENTION),
          Map.entry("no_rope_layers", "layers without rotation"),
          Map.entry("no_rope_layer_interval", "layers without rotation"),
          Map.entry("rotary_dim", "rotation of a part of each head"),
          Map.entry("rope_interleaved", "rotation of neighbouring pairs"),
          Map.entry("use_parallel_residual", "parallel residual branches"),
          Map.entry("parallel_attn", "parallel residual branches"),
          Map.entry("add_cross_attention", PARTS),
          Map.entry("is_encoder_decoder", PARTS),
          Map.entry("vision_config", PARTS),
          Map.entry("audio_config", PARTS),
          Map.entry("text_config", PARTS),
          Map.entry("pruned_heads", "pruned heads"),
          Map.entry("attention_dropout", "dropout in attention"),
          Map.entry("hidden_dropout", "dropout of activations"),
          Map.entry("hidden_dropout_prob", "dropout of activations"),
          Map.entry("resid_pdrop", "dropout of activations"),
          Map.entry("embd_pdrop", "dropout of activations"));

  /** Keys that must be absent, null or 1. */
  private static final Map<String, String> ONE =
      Map.of(
          "pretraining_tp", "it splits the matrices as the training did; set it to 1, the result is the same",
          "rotary_pct", "rotation of a part of each head",
          "embedding_multiplier", SCALING,
          "residual_multiplier", SCALING,
          "logits_scaling", SCALING,
          "logit_scale", SCALING,
          "scale_emb", SCALING,
          "mup_scale", SCALING);

  private UnsupportedKeys() {}

  /** Rejects what no decoder has, but for the keys that the family reads. */
  static void reject(JsonFields fields, List<String> read) {
    OFF.keySet().stream().filter(key -> !read.contains(key)).sorted().forEach(key -> fields.refuseUnlessNeutral(key, 0, OFF.get(key)));
    ONE.keySet().stream().filter(key -> !read.contains(key)).sorted().forEach(key -> fields.refuseUnlessNeutral(key, 1, ONE.get(key)));
    if (!fields.bool("is_causal", true)) {
      throw fields.unsupported("is_causal", ATTENTION);
    }
  }

  static void rejectSlidingWindow(JsonFields fields, String type) {
    fields.refuseUnlessNeutral("sliding_window", 0, type + " models have no sliding window");
  }

  static void rejectQueryKeyNorm(JsonFields fields, String type) {
    for (String key : List.of("qk_norm", "use_qk_norm", "qk_layernorm")) {
      fields.refuseUnlessNeutral(key, 0, type + " models do not normalise queries and keys");
    }
  }

  static void rejectMlpBias(JsonFields fields, String type) {
    fields.refuseUnlessNeutral("mlp_bias", 0, type + " models have no bias in the MLP");
  }
}
