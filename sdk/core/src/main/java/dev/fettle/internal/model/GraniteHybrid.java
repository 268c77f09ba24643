package dev.fettle.internal.model;

import dev.fettle.internal.checkpoint.JsonFields;
import dev.fettle.internal.model.LayerParts.QueryKeyNorm;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/** Granite 4 without experts and without state-space layers: gate and up are one linear layer; perhaps no rotation. */
final class GraniteHybrid implements Architecture {
  @Override
  public String type() {
    return "granitemoehybrid";
  }

  @Override
  public String className() {
    return "GraniteMoeHybridForCausalLM";
  }

  @Override
  public ModelConfig read(JsonFields config) {
    // Without experts, which num_local_experts must say, the other settings of experts have no meaning.
    if (!config.has("num_local_experts")) {
      throw config.unsupported("num_local_experts", "the default is 8 experts; supported is 0");
    }
    config.refuseUnlessNeutral("num_local_experts", 0, "mixture of experts");
    DecoderFields d = Granite.fields(this, config)
        .intermediate(config.integer("shared_intermediate_size", 1, 1 << 24, 1024));
    requireAttention(d);
    boolean bias = config.bool("attention_bias", false);
    Optional<Rope> rope = config.string("position_embedding_type").filter(type -> !type.equals("nope")).map(type -> {
      if (!type.equals("rope")) {
        throw config.unsupported("position_embedding_type", "it is rope or nope");
      }
      return d.ropes().read();
    });
    LayerParts parts = d.parts();
    return d.model(parts.preNorm(parts.attention(bias, bias, QueryKeyNorm.NONE),
        parts.fusedMlp("shared_mlp.input_linear", "shared_mlp.output_linear")), d.sameWindow(0),
        Collections.nCopies(d.layers, rope));
  }

  /** The layers' kinds, which the file must give, since the default is not attention. */
  private static void requireAttention(DecoderFields d) {
    String key = d.fields.has("layer_types") ? "layer_types" : "layers_block_type";
    List<String> types = d.fields.strings(key);
    if (types.size() != d.layers || !types.stream().allMatch(t -> t.equals("attention") || t.equals("full_attention"))) {
      throw d.fields.unsupported(key, "each of the " + d.layers + " layers must be attention; state-space layers are not supported");
    }
  }
}
