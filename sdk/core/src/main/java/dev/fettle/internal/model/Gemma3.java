package dev.fettle.internal.model;

import dev.fettle.internal.checkpoint.JsonFields;
import dev.fettle.internal.model.LayerParts.QueryKeyNorm;
import java.util.List;
import java.util.Optional;

/**
 * Gemma 3 (Gemma Team 2025): queries and keys are normalised; layers with a window rotate by another base than those that see
 * everything.
 */
final class Gemma3 implements Architecture {
  private static final DecoderFields.Sizes SIZES = new DecoderFields.Sizes(262208, 2304, 9216, 26, 8);
  private static final double GLOBAL_THETA = 1_000_000;
  private static final double LOCAL_THETA = 10_000;
  private static final int PATTERN = 6;

  @Override
  public String type() {
    return "gemma3_text";
  }

  @Override
  public String className() {
    return "Gemma3ForCausalLM";
  }

  @Override
  public ModelConfig read(JsonFields config) {
    config.refuseUnlessNeutral("use_bidirectional_attention", 0, "attention to later tokens");
    // transformers reads attn_logit_softcapping into the configuration and does not apply it.
    DecoderFields d = Gemma.fields(this, config, SIZES).keyValueHeads(4).contextLength(131_072)
        .attentionScale(Gemma2.scale(config)).logitCap(Gemma2.cap(config, "final_logit_softcapping", 0));
    LayerParts parts = d.parts();
    boolean bias = config.bool("attention_bias", false);
    int pattern = config.integer("sliding_window_pattern", 1, Integer.MAX_VALUE, PATTERN);
    List<Integer> windows = Gemma2.windows(d, pattern);
    Rope global = d.ropes().theta("rope_theta", GLOBAL_THETA).ofLayers("full_attention");
    Rope local = d.ropes().theta("rope_local_base_freq", LOCAL_THETA).ofLayers("sliding_attention");
    return d.model(parts.sandwichNorm(parts.attention(bias, bias, QueryKeyNorm.EACH_HEAD), parts.gatedMlp(false)),
        windows, windows.stream().map(window -> Optional.of(window > 0 ? local : global)).toList());
  }
}
