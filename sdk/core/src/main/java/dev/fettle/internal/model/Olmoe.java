package dev.fettle.internal.model;

import dev.fettle.internal.checkpoint.JsonFields;
import dev.fettle.internal.model.LayerNumbers.Experts;
import dev.fettle.internal.model.LayerParts.QueryKeyNorm;
import java.util.Collections;
import java.util.Optional;

/** OLMoE (Muennighoff et al. 2024): experts in every layer; all queries, and all keys, of a token are normalised together. */
final class Olmoe implements Architecture {
  private static final DecoderFields.Sizes SIZES = new DecoderFields.Sizes(50304, 2048, 2048, 16, 16);

  @Override
  public String type() {
    return "olmoe";
  }

  @Override
  public String className() {
    return "OlmoeForCausalLM";
  }

  @Override
  public Optional<Stacked> stacked(String weight) {
    return Stacked.ofExperts(weight);
  }

  @Override
  public ModelConfig read(JsonFields config) {
    DecoderFields d = Olmo2.fields(this, config, SIZES, 4096);
    if (config.has("clip_qkv")) {
      throw config.unsupported("clip_qkv", "clipped queries, keys and values; it must be null");
    }
    config.refuseUnlessNeutral("sliding_window", 0, "which of transformers' ways of attention heeds it differs");
    Experts experts = ExpertFields.read(config, 64);
    boolean bias = config.bool("attention_bias", false);
    LayerParts parts = d.experts(experts).parts();
    return d.model(parts.preNorm(parts.attention(bias, bias, QueryKeyNorm.ALL_HEADS),
        parts.experts(experts.count(), parts.intermediate())), Collections.nCopies(d.layers, 0));
  }
}
