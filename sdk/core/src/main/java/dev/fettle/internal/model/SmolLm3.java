package dev.fettle.internal.model;

import dev.fettle.internal.checkpoint.JsonFields;
import dev.fettle.internal.model.LayerParts.QueryKeyNorm;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** SmolLM3 (Bakouch et al. 2025): a Llama with layers that do not rotate, every fourth unless the file says otherwise. */
final class SmolLm3 implements Architecture {
  private static final DecoderFields.Sizes SIZES = new DecoderFields.Sizes(128256, 2048, 11008, 36, 16);
  private static final double THETA = 2_000_000;
  private static final int INTERVAL = 4;

  @Override
  public String type() {
    return "smollm3";
  }

  @Override
  public String className() {
    return "SmolLM3ForCausalLM";
  }

  @Override
  public ModelConfig read(JsonFields config) {
    DecoderFields d = new DecoderFields(this, config, SIZES).headDim().keyValueHeads(4)
        .contextLength(32768).textIds(128_000, 128_001).padding(128_004).tied(true);
    List<Boolean> rotated = rotated(d);
    Optional<Rope> rope = Optional.of(d.ropes().theta("rope_theta", THETA).read());
    boolean bias = config.bool("attention_bias", false);
    LayerParts parts = d.parts();
    return d.model(parts.preNorm(parts.attention(bias, bias, QueryKeyNorm.NONE),
        parts.gatedMlp(config.bool("mlp_bias", false))), windows(d, rotated),
        rotated.stream().map(turns -> turns ? rope : Optional.<Rope>empty()).toList());
  }

  private static List<Boolean> rotated(DecoderFields d) {
    List<Boolean> rotated = new ArrayList<>();
    if (d.fields.has("no_rope_layers")) {
      d.fields.integers("no_rope_layers", 0, 1).forEach(each -> rotated.add(each == 1));
      if (rotated.size() != d.layers) {
        throw d.fields.invalid("no_rope_layers", "must have one entry, 1 or 0, for each of the " + d.layers + " layers");
      }
      return rotated;
    }
    int interval = d.fields.integer("no_rope_layer_interval", 1, Integer.MAX_VALUE, INTERVAL);
    for (int i = 0; i < d.layers; i++) {
      rotated.add((i + 1) % interval != 0);
    }
    return rotated;
  }

  /** Where windows are used, the layers that do not rotate have one, unless the file says which do. */
  private static List<Integer> windows(DecoderFields d, List<Boolean> rotated) {
    int window = d.fields.bool("use_sliding_window", false)
        ? d.fields.integer("sliding_window", 1, Integer.MAX_VALUE, 0) : 0;
    return d.windows(window, rotated.stream().map(turns -> turns ? 0 : window).toList());
  }
}
