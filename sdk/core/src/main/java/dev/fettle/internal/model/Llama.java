package dev.fettle.internal.model;

import dev.fettle.internal.checkpoint.JsonFields;
import dev.fettle.internal.model.LayerParts.QueryKeyNorm;

/** Llama 2 to 3.3 (Touvron et al. 2023), and the many models that use its form. */
final class Llama implements Architecture {
  private static final DecoderFields.Sizes SIZES = new DecoderFields.Sizes(32000, 4096, 11008, 32, 32);

  @Override
  public String type() {
    return "llama";
  }

  @Override
  public String className() {
    return "LlamaForCausalLM";
  }

  @Override
  public ModelConfig read(JsonFields config) {
    DecoderFields d = new DecoderFields(this, config, SIZES).headDim().contextLength(2048).textIds(1, 2);
    d.keyValueHeads(d.heads);
    boolean bias = config.bool("attention_bias", false);
    LayerParts parts = d.parts();
    return d.model(parts.preNorm(parts.attention(bias, bias, QueryKeyNorm.NONE),
        parts.gatedMlp(config.bool("mlp_bias", false))), d.sameWindow(0));
  }
}
