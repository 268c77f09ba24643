package dev.fettle.internal.model;

import dev.fettle.internal.checkpoint.JsonFields;
import dev.fettle.internal.model.LayerConfig.Part;
import dev.fettle.internal.model.LayerNumbers.Experts;
import dev.fettle.internal.model.LayerParts.QueryKeyNorm;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/** Qwen 3 with a mixture of experts (Yang et al. 2025): layers without experts may stand among those that have them. */
final class Qwen3Moe implements Architecture {
  private static final DecoderFields.Sizes SIZES = new DecoderFields.Sizes(151936, 2048, 6144, 24, 32);

  @Override
  public String type() {
    return "qwen3_moe";
  }

  @Override
  public String className() {
    return "Qwen3MoeForCausalLM";
  }

  @Override
  public Optional<Stacked> stacked(String weight) {
    return Stacked.ofExperts(weight);
  }

  @Override
  public ModelConfig read(JsonFields config) {
    DecoderFields d = new DecoderFields(this, config, SIZES).headDim().keyValueHeads(4).contextLength(32768).textIds();
    Experts experts = ExpertFields.read(config, 128);
    boolean bias = config.bool("attention_bias", false);
    LayerParts parts = d.experts(experts).parts();
    List<Part> attention = parts.attention(bias, bias, QueryKeyNorm.EACH_HEAD);
    List<Part> sparse = parts.preNorm(attention,
        parts.experts(experts.count(), config.integer("moe_intermediate_size", 1, 1 << 24, 768)));
    List<Part> dense = parts.preNorm(attention, parts.gatedMlp(false));
    List<Integer> mlpOnly = config.integers("mlp_only_layers", 0, Integer.MAX_VALUE);
    int step = config.integer("decoder_sparse_step", 1, Integer.MAX_VALUE, 1);
    List<List<Part>> layers = new ArrayList<>();
    for (int i = 0; i < d.layers; i++) {
      layers.add(!mlpOnly.contains(i) && (i + 1) % step == 0 ? sparse : dense);
    }
    // One window for all layers: max_window_layers and layer_types have no meaning for this family.
    int window = config.bool("use_sliding_window", false) ? Mistral.slidingWindow(config) : 0;
    return d.layered(layers, Collections.nCopies(d.layers, window), Collections.nCopies(d.layers, Optional.of(d.ropes().read())));
  }
}
