package dev.fettle.internal.model;

import dev.fettle.internal.checkpoint.JsonFields;
import dev.fettle.internal.model.LayerParts.QueryKeyNorm;
import java.util.List;

/** Mistral (Jiang et al. 2023): a Llama with a sliding window, the same in all layers. */
final class Mistral implements Architecture {
  private static final int DEFAULT_WINDOW = 4096;

  @Override
  public String type() {
    return "mistral";
  }

  @Override
  public String className() {
    return "MistralForCausalLM";
  }

  @Override
  public ModelConfig read(JsonFields config) {
    DecoderFields d = new DecoderFields(this, config).headDim().keyValueHeads(8).contextLength(4096 * 32).textIds(1, 2);
    UnsupportedKeys.rejectQueryKeyNorm(config, type());
    UnsupportedKeys.rejectMlpBias(config, type());
    config.refuseUnlessNeutral("attention_bias", 0, "mistral models have no bias in attention");
    int window = slidingWindow(config);
    List<Integer> windows = d.sameWindow(window);
    if (windows.stream().anyMatch(w -> w != window)) {
      throw config.unsupported("layer_types", "a mistral model has one window for all layers; another is ministral");
    }
    LayerParts parts = d.parts();
    return d.model(parts.preNorm(parts.attention(false, false, QueryKeyNorm.NONE), parts.gatedMlp(false)), windows);
  }

  /** 0 where the file says null. */
  static int slidingWindow(JsonFields config) {
    return config.integer("sliding_window", 1, Integer.MAX_VALUE, config.mentions("sliding_window") ? 0 : DEFAULT_WINDOW);
  }
}
