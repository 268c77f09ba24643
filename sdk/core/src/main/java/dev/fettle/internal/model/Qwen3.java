package dev.fettle.internal.model;

import dev.fettle.internal.checkpoint.JsonFields;
import dev.fettle.internal.model.LayerParts.QueryKeyNorm;

/** Qwen 3 (Yang et al. 2025): queries and keys are normalised; no biases unless the file asks for them. */
final class Qwen3 implements Architecture {
  @Override
  public String type() {
    return "qwen3";
  }

  @Override
  public String className() {
    return "Qwen3ForCausalLM";
  }

  @Override
  public ModelConfig read(JsonFields config) {
    DecoderFields d = new DecoderFields(this, config, Qwen2.SIZES).keyValueHeads(32).contextLength(32768).textIds();
    if (config.mentions("head_dim")) {
      d.headDim(d.hidden / d.heads);
    } else {
      d.headDim(128);
    }
    boolean bias = config.bool("attention_bias", false);
    LayerParts parts = d.parts();
    return d.model(parts.preNorm(parts.attention(bias, bias, QueryKeyNorm.EACH_HEAD), parts.gatedMlp(false)), Qwen2.windows(d));
  }
}
