package dev.fettle.internal.model;

import dev.fettle.internal.checkpoint.JsonFields;
import dev.fettle.internal.model.LayerParts.QueryKeyNorm;

/** Gemma (Gemma Team 2024): norms of 1 + weight, embeddings times the root of their width, a gate of GELU. */
final class Gemma implements Architecture {
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
    DecoderFields d = fields(this, config).keyValueHeads(16).contextLength(8192);
    // The first files say gelu, or nothing, and mean its approximation by tanh; so does transformers.
    if (!config.string("hidden_act").orElse("gelu").equals("gelu")) {
      d.activation("hidden_act", GELU_TANH);
    }
    UnsupportedKeys.rejectSlidingWindow(config, type());
    LayerParts parts = d.parts();
    boolean bias = config.bool("attention_bias", false);
    return d.model(parts.preNorm(parts.attention(bias, bias, QueryKeyNorm.NONE), parts.gatedMlp(false)),
        d.sameWindow(0));
  }

  static final String GELU_TANH = "gelu_pytorch_tanh";

  /** What all Gemmas have in common. */
  static DecoderFields fields(Architecture architecture, JsonFields config, String... read) {
    DecoderFields d = new DecoderFields(architecture, config, read).headDim(HEAD_DIM).textIds(2, 1).unitOffset().tied(true)
        .activation("hidden_activation", GELU_TANH);
    UnsupportedKeys.rejectMlpBias(config, architecture.type());
    return d.embeddingScale(new OuterNumbers.EmbeddingScale(Math.sqrt(d.hidden), true));
  }
}
