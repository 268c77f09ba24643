package dev.fettle.internal.model;

import dev.fettle.internal.checkpoint.JsonFields;
import dev.fettle.internal.model.LayerParts.QueryKeyNorm;
import java.util.ArrayList;
import java.util.List;

/** Qwen 2 and 2.5 (Yang et al. 2024): biases in queries, keys and values; a window in the upper layers, if it is used. */
final class Qwen2 implements Architecture {
  static final DecoderFields.Sizes SIZES = new DecoderFields.Sizes(151936, 4096, 22016, 32, 32);

  @Override
  public String type() {
    return "qwen2";
  }

  @Override
  public String className() {
    return "Qwen2ForCausalLM";
  }

  @Override
  public ModelConfig read(JsonFields config) {
    DecoderFields d = new DecoderFields(this, config, SIZES).headDim().keyValueHeads(32).contextLength(32768).textIds();
    LayerParts parts = d.parts();
    return d.model(parts.preNorm(parts.attention(true, false, QueryKeyNorm.NONE), parts.gatedMlp(false)), windows(d));
  }

  /** From {@code max_window_layers} on, if windows are used at all. */
  static List<Integer> windows(DecoderFields d) {
    if (!d.fields.bool("use_sliding_window", false)) {
      return d.windows(0, d.sameWindow(0));
    }
    int window = Mistral.slidingWindow(d.fields);
    int first = d.fields.integer("max_window_layers", 0, Integer.MAX_VALUE, 28);
    List<Integer> windows = new ArrayList<>();
    for (int i = 0; i < d.layers; i++) {
      windows.add(i >= first ? window : 0);
    }
    return d.windows(window, windows);
  }
}
