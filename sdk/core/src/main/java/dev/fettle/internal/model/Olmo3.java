package dev.fettle.internal.model;

import dev.fettle.internal.checkpoint.JsonFields;
import java.util.List;
import java.util.Optional;

/** OLMo 3 (OLMo Team 2025): an OLMo 2 with a window in three layers of four; the rotation of the others may be stretched. */
final class Olmo3 implements Architecture {
  private static final double THETA = 500_000;
  private static final int PATTERN = 4;

  @Override
  public String type() {
    return "olmo3";
  }

  @Override
  public String className() {
    return "Olmo3ForCausalLM";
  }

  @Override
  public ModelConfig read(JsonFields config) {
    DecoderFields d = Olmo2.fields(this, config, Olmo2.SIZES, 2048);
    List<Integer> windows = Gemma2.windows(d, PATTERN);
    Rope full = d.ropes().theta("rope_theta", THETA).ofLayers("full_attention");
    // transformers takes rope_theta for layers with full attention alone.
    Rope near = d.ropes().theta("", THETA).ofLayers("sliding_attention");
    return d.model(Olmo2.parts(d), windows, windows.stream().map(w -> Optional.of(w > 0 ? near : full)).toList());
  }
}
