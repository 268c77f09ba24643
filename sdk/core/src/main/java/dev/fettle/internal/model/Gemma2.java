package dev.fettle.internal.model;

import dev.fettle.internal.checkpoint.JsonFields;
import dev.fettle.internal.model.LayerParts.QueryKeyNorm;
import java.util.ArrayList;
import java.util.List;

/** Gemma 2 (Gemma Team 2024): norms before and after each part, soft caps, a window in every other layer. */
final class Gemma2 implements Architecture {
  private static final DecoderFields.Sizes SIZES = new DecoderFields.Sizes(256000, 2304, 9216, 26, 8);

  static final int DEFAULT_WINDOW = 4096;

  @Override
  public String type() {
    return "gemma2";
  }

  @Override
  public String className() {
    return "Gemma2ForCausalLM";
  }

  @Override
  public ModelConfig read(JsonFields config) {
    DecoderFields d = Gemma.fields(this, config, SIZES).keyValueHeads(4).contextLength(8192)
        .attentionScale(scale(config)).attentionCap(cap(config, "attn_logit_softcapping", 50))
        .logitCap(cap(config, "final_logit_softcapping", 30));
    LayerParts parts = d.parts();
    boolean bias = config.bool("attention_bias", false);
    return d.model(parts.sandwichNorm(parts.attention(bias, bias, QueryKeyNorm.NONE), parts.gatedMlp(false)),
        windows(d, 2));
  }

  /** One over the root of {@code query_pre_attn_scalar}. */
  static double scale(JsonFields config) {
    return Math.pow(config.positive("query_pre_attn_scalar", 256), -0.5);
  }

  /** A soft cap; 0 where the file says null. */
  static double cap(JsonFields config, String key, double whenMissing) {
    return config.has(key) ? config.positive(key) : config.mentions(key) ? 0 : whenMissing;
  }

  /** A window in all layers but every so many-th. */
  static List<Integer> windows(DecoderFields d, int pattern) {
    int window = d.fields.integer("sliding_window", 1, Integer.MAX_VALUE,
        d.fields.mentions("sliding_window") ? 0 : DEFAULT_WINDOW);
    List<Integer> windows = new ArrayList<>();
    for (int i = 0; i < d.layers; i++) {
      windows.add((i + 1) % pattern == 0 ? 0 : window);
    }
    return d.windows(window, windows);
  }
}
