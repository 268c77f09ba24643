package dev.fettle.internal.model;

import dev.fettle.internal.checkpoint.JsonFields;
import dev.fettle.internal.model.LayerConfig.Linear;
import dev.fettle.internal.model.LayerConfig.Norm;
import dev.fettle.internal.model.LayerConfig.Numbers;
import dev.fettle.internal.model.LayerConfig.Part;
import dev.fettle.internal.model.LayerNumbers.Delta;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Qwen 3.5 without experts (Qwen Team 2026): most layers have a state in the place of keys and values, a gated delta rule (Yang
 * et al. 2025); the others gate what attention gives. Of text, the three positions of its rotation are one, so that it turns as
 * others do; {@code mrope_section} means nothing.
 */
final class Qwen35 implements Architecture {
  private static final DecoderFields.Sizes SIZES = new DecoderFields.Sizes(248320, 4096, 12288, 32, 16);
  private static final double ROTARY = 0.25;
  private static final int INTERVAL = 4;
  private static final String STATE = "linear_attention";

  @Override
  public String type() {
    return "qwen3_5_text";
  }

  @Override
  public String className() {
    return "Qwen3_5ForCausalLM";
  }

  @Override
  public ModelConfig read(JsonFields config) {
    DecoderFields d = new DecoderFields(this, config, SIZES).headDim(256).keyValueHeads(4).contextLength(32768).textIds().unitOffset();
    Delta delta = delta(config);
    LayerParts parts = d.withStates(delta).parts();
    List<Part> attention = parts.preNorm(parts.gatedAttention(config.bool("attention_bias", false)), parts.gatedMlp(false));
    List<Part> state = parts.preNorm(state(d.hidden, delta), parts.gatedMlp(false));
    Rope rope = d.ropes().partial(ROTARY).passingOver("mrope_section", "mrope_interleaved").read();
    List<List<Part>> layers = new ArrayList<>();
    List<Optional<Rope>> ropes = new ArrayList<>();
    for (boolean hasState : states(d)) {
      layers.add(hasState ? state : attention);
      ropes.add(hasState ? Optional.empty() : Optional.of(rope));
    }
    return d.layered(layers, d.sameWindow(0), ropes);
  }

  private static Delta delta(JsonFields config) {
    int keyHeads = config.integer("linear_num_key_heads", 1, DecoderFields.MAX_HEADS, 16);
    int valueHeads = config.integer("linear_num_value_heads", 1, DecoderFields.MAX_HEADS, 32);
    if (valueHeads % keyHeads != 0) {
      throw config.invalid("linear_num_value_heads", "must be a multiple of linear_num_key_heads " + keyHeads);
    }
    return new Delta(keyHeads, valueHeads, config.integer("linear_key_head_dim", 1, DecoderFields.MAX_HEAD_DIM, 128),
        config.integer("linear_value_head_dim", 1, DecoderFields.MAX_HEAD_DIM, 128),
        config.integer("linear_conv_kernel_dim", 1, DecoderFields.MAX_HEAD_DIM, 4));
  }

  private static List<Part> state(int hidden, Delta delta) {
    long heads = delta.valueHeads();
    return List.of(new Linear(Product.QKV, "linear_attn.in_proj_qkv", hidden, delta.convolved(), false),
        new Linear(Product.QKV, "linear_attn.in_proj_z", hidden, delta.values(), false),
        new Linear(Product.QKV, "linear_attn.in_proj_b", hidden, delta.valueHeads(), false),
        new Linear(Product.QKV, "linear_attn.in_proj_a", hidden, delta.valueHeads(), false),
        new Numbers(LayerVector.CONVOLUTION, "linear_attn.conv1d.weight", List.of((long) delta.convolved(), 1L, (long) delta.width())),
        new Numbers(LayerVector.DECAY, "linear_attn.A_log", List.of(heads)),
        new Numbers(LayerVector.DECAY_BIAS, "linear_attn.dt_bias", List.of(heads)),
        new Norm(LayerVector.DELTA_NORM, "linear_attn.norm", delta.valueDim(), false),
        new Linear(Product.O, "linear_attn.out_proj", delta.values(), hidden, false));
  }

  /** For each layer whether it has a state: {@code layer_types}, or all but one of so many. */
  private static List<Boolean> states(DecoderFields d) {
    List<Boolean> states = new ArrayList<>();
    if (!d.fields.has("layer_types")) {
      int interval = d.fields.integer("full_attention_interval", 1, Integer.MAX_VALUE, INTERVAL);
      for (int i = 0; i < d.layers; i++) {
        states.add((i + 1) % interval != 0);
      }
      return states;
    }
    for (String type : d.fields.strings("layer_types")) {
      if (!type.equals(STATE) && !type.equals("full_attention")) {
        throw d.fields.unsupported("layer_types", "the layer types are " + STATE + " and full_attention");
      }
      states.add(type.equals(STATE));
    }
    if (states.size() != d.layers) {
      throw d.fields.invalid("layer_types", "must have one entry for each of the " + d.layers + " layers");
    }
    return states;
  }

  /** transformers saves a decoder that it has taken out of a model that reads images under the names that it has there. */
  @Override
  public List<String> namesInFiles(String weight) {
    return List.of(weight, weight.replaceFirst("^model\\.", Multimodal.WITHIN));
  }

  @Override
  public boolean ignores(String tensor) {
    return Architecture.super.ignores(tensor) || isOther(tensor);
  }

  /** Layers that predict several tokens ahead, and what reads images, which transformers passes over too. */
  @Override
  public boolean isOther(String tensor) {
    return tensor.startsWith("mtp.") || tensor.startsWith("model.visual.");
  }
}
