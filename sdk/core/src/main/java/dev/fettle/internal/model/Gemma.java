package dev.fettle.internal.model;

import dev.fettle.internal.checkpoint.JsonFields;
import dev.fettle.internal.model.LayerParts.QueryKeyNorm;

/** Gemma (Gemma Team 2024): norms of 1 + weight, embeddings times the root of their width, a gate of GELU. */
final class Gemma implements Architecture {
  private static final DecoderFields.Sizes SIZES = new DecoderFields.Sizes(256000, 3072, 24576, 28, 16);
  private static final int HEAD_DIM = 256;

  @Override
  public String type() {
    return "gemma";
  }

  @Override
  public String className() {
    return "GemmaForCausalLM";
  }

  @Override
  public ModelConfig read(JsonFields config) {
    DecoderFields d = fields(this, config, SIZES).keyValueHeads(16).contextLength(8192);
    // The first files say gelu, or nothing, and mean its approximation by tanh; so does transformers.
    if (!config.string("hidden_act").orElse("gelu").equals("gelu")) {
      d.activation("hidden_act", GELU_TANH);
    }
    LayerParts parts = d.parts();
    boolean bias = config.bool("attention_bias", false);
    return d.model(parts.preNorm(parts.attention(bias, bias, QueryKeyNorm.NONE), parts.gatedMlp(false)),
        d.sameWindow(0));
  }

  static final String GELU_TANH = "gelu_pytorch_tanh";

  /** What all Gemmas have in common. */
  static DecoderFields fields(Architecture architecture, JsonFields config, DecoderFields.Sizes sizes) {
    DecoderFields d = new DecoderFields(architecture, config, sizes).headDim(HEAD_DIM).textIds(2, 1).padding(0).unitOffset().tied(true)
        .activation("hidden_activation", GELU_TANH);
    return d.embeddingScale(new OuterNumbers.EmbeddingScale(Math.sqrt(d.hidden), true));
  }
}
