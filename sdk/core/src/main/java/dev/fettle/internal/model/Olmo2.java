package dev.fettle.internal.model;

import dev.fettle.internal.checkpoint.JsonFields;
import dev.fettle.internal.model.LayerConfig.Part;
import dev.fettle.internal.model.LayerParts.QueryKeyNorm;
import java.util.List;

/** OLMo 2 (OLMo Team 2024): norms on what each part gives, and on all queries or keys of a token together. */
final class Olmo2 implements Architecture {
  static final DecoderFields.Sizes SIZES = new DecoderFields.Sizes(50304, 4096, 11008, 32, 32);
  private static final int EOS = 50_279;

  @Override
  public String type() {
    return "olmo2";
  }

  @Override
  public String className() {
    return "Olmo2ForCausalLM";
  }

  @Override
  public ModelConfig read(JsonFields config) {
    DecoderFields d = fields(this, config, SIZES, 2048);
    return d.model(parts(d), d.sameWindow(0));
  }

  /** What OLMo 2, 3 and OLMoE have in common; the numbers are those of files that do not say. */
  static DecoderFields fields(Architecture architecture, JsonFields config, DecoderFields.Sizes sizes, int context) {
    DecoderFields d = new DecoderFields(architecture, config, sizes).headDim().contextLength(context).textIds().padding(1).eps(1e-5);
    d.keyValueHeads(d.heads);
    if (!config.mentions("eos_token_id")) {
      d.eosId(EOS);
    }
    return d;
  }

  static List<Part> parts(DecoderFields d) {
    LayerParts parts = d.parts();
    boolean bias = d.fields.bool("attention_bias", false);
    return parts.postNorm(parts.attention(bias, bias, QueryKeyNorm.ALL_HEADS), parts.gatedMlp(false));
  }
}
