package dev.fettle.internal.model;

import dev.fettle.internal.checkpoint.JsonFields;
import dev.fettle.internal.model.LayerParts.QueryKeyNorm;
import java.util.ArrayList;
import java.util.List;

/** Granite 3 (Granite Team 2024): a Llama with four multipliers. */
final class Granite implements Architecture {
  private static final List<String> MULTIPLIERS =
      List.of("attention_multiplier", "residual_multiplier", "embedding_multiplier", "logits_scaling");

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
  static DecoderFields fields(Architecture architecture, JsonFields config, String... read) {
    List<String> all = new ArrayList<>(MULTIPLIERS);
    all.addAll(List.of(read));
    DecoderFields d = new DecoderFields(architecture, config, all.toArray(String[]::new)).headDim().contextLength(2048)
        .textIds(1, 2);
    d.keyValueHeads(d.heads);
    UnsupportedKeys.rejectSlidingWindow(config, architecture.type());
    UnsupportedKeys.rejectQueryKeyNorm(config, architecture.type());
    return d.attentionScale(config.positive("attention_multiplier", 1))
        .residualScale(config.positive("residual_multiplier", 1))
        .embeddingScale(new OuterNumbers.EmbeddingScale(config.positive("embedding_multiplier", 1), false))
        .logitDivisor(config.positive("logits_scaling", 1));
  }
}
