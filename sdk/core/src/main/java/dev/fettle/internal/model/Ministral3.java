package dev.fettle.internal.model;

import dev.fettle.internal.checkpoint.JsonFields;
import dev.fettle.internal.model.LayerParts.QueryKeyNorm;
import java.util.Collections;
import java.util.Optional;

/** Ministral 3 (Mistral AI 2025): a Mistral whose queries grow beyond the context that it was trained on at first. */
final class Ministral3 implements Architecture {
  private static final DecoderFields.Sizes SIZES = new DecoderFields.Sizes(131_072, 4096, 14_336, 34, 32);
  private static final int HEAD_DIM = 128;
  private static final String ROPE = "rope_parameters";
  private static final String GROWTH = "llama_4_scaling_beta";

  @Override
  public String type() {
    return "ministral3";
  }

  @Override
  public String className() {
    return "Ministral3ForCausalLM";
  }

  @Override
  public ModelConfig read(JsonFields config) {
    DecoderFields d = new DecoderFields(this, config, SIZES).keyValueHeads(8).contextLength(262_144).textIds(1, 2).padding(11).eps(1e-5);
    if (config.mentions("head_dim")) {
      d.headDim();
    } else {
      d.headDim(HEAD_DIM);
    }
    JsonFields rope = config.object(ROPE).orElseThrow(() -> config.invalid(ROPE, "must say how positions are rotated"));
    double growth = rope.has(GROWTH) ? rope.number(GROWTH, 0) : rope.positive(GROWTH);
    d.queryGrowth(rope.integer("original_max_position_embeddings", 1, Integer.MAX_VALUE), growth);
    Rope rotation = d.ropes().passingOver(GROWTH, "max_position_embeddings").read();
    LayerParts parts = d.parts();
    return d.model(parts.preNorm(parts.attention(false, false, QueryKeyNorm.NONE), parts.gatedMlp(false)),
        d.sameWindow(config.integer("sliding_window", 1, Integer.MAX_VALUE, 0)),
        Collections.nCopies(d.layers, Optional.of(rotation)));
  }
}
