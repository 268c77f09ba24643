package dev.fettle.internal.model;

import dev.fettle.internal.checkpoint.JsonFields;
import dev.fettle.internal.model.LayerParts.QueryKeyNorm;

/** Granite 3 (Granite Team 2024): a Llama with four multipliers. */
final class Granite implements Architecture {
  static final DecoderFields.Sizes SIZES = new DecoderFields.Sizes(32000, 4096, 11008, 32, 32);

  @Override
  public String type() {
    return "granite";
  }

  @Override
  public String className() {
    return "GraniteForCausalLM";
  }

  @Override
  public ModelConfig read(JsonFields config) {
    DecoderFields d = fields(this, config);
    boolean bias = config.bool("attention_bias", false);
    LayerParts parts = d.parts();
    return d.model(parts.preNorm(parts.attention(bias, bias, QueryKeyNorm.NONE),
        parts.gatedMlp(config.bool("mlp_bias", false))), d.sameWindow(0));
  }

  /** What all Granites have in common. */
  static DecoderFields fields(Architecture architecture, JsonFields config) {
    DecoderFields d = new DecoderFields(architecture, config, SIZES).headDim().contextLength(2048)
        .textIds(1, 2);
    d.keyValueHeads(d.heads);
    return d.attentionScale(config.positive("attention_multiplier", 1))
        .residualScale(config.positive("residual_multiplier", 1))
        .embeddingScale(new OuterNumbers.EmbeddingScale(config.positive("embedding_multiplier", 1), false))
        .logitDivisor(config.positive("logits_scaling", 1));
  }
}
