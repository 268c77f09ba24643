package dev.fettle.internal.model;

import dev.fettle.internal.checkpoint.JsonFields;
import dev.fettle.internal.model.LayerParts.QueryKeyNorm;

/** Mistral (Jiang et al. 2023): a Llama with a sliding window, the same in all layers. */
final class Mistral implements Architecture {
  private static final DecoderFields.Sizes SIZES = new DecoderFields.Sizes(32000, 4096, 14336, 32, 32);
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
    DecoderFields d = new DecoderFields(this, config, SIZES).headDim().keyValueHeads(8).contextLength(4096 * 32).textIds(1, 2);
    LayerParts parts = d.parts();
    return d.model(parts.preNorm(parts.attention(false, false, QueryKeyNorm.NONE), parts.gatedMlp(false)),
        d.sameWindow(slidingWindow(config)));
  }

  /** 0 where the file says null. */
  static int slidingWindow(JsonFields config) {
    return config.integer("sliding_window", 1, Integer.MAX_VALUE, config.mentions("sliding_window") ? 0 : DEFAULT_WINDOW);
  }
}
