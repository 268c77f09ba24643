package dev.fettle.internal.model;

import dev.fettle.internal.model.LayerConfig.Linear;
import dev.fettle.internal.model.LayerConfig.Norm;
import dev.fettle.internal.model.LayerConfig.Part;
import java.util.ArrayList;
import java.util.List;

/**
 * The parts that the layers of decoders are built of, with the names that most files have for them, and the orders in which
 * families put norms around them.
 */
record LayerParts(int hidden, int heads, int kvHeads, int headDim, int intermediate) {
  /** How queries and keys are normalised before they are rotated. */
  enum QueryKeyNorm {
    /** Not at all. */
    NONE,
    /** Each head by itself (Qwen 3, Gemma 3). */
    EACH_HEAD,
    /** All heads of a token together (OLMo 2). */
    ALL_HEADS
  }

  /** The projections of attention. */
  List<Part> attention(boolean queryKeyValueBias, boolean outputBias, QueryKeyNorm norm) {
    List<Part> parts = new ArrayList<>(List.of(
        new Linear(Product.QKV, "self_attn.q_proj", hidden, heads * headDim, queryKeyValueBias),
        new Linear(Product.QKV, "self_attn.k_proj", hidden, kvHeads * headDim, queryKeyValueBias),
        new Linear(Product.QKV, "self_attn.v_proj", hidden, kvHeads * headDim, queryKeyValueBias)));
    if (norm != QueryKeyNorm.NONE) {
      boolean each = norm == QueryKeyNorm.EACH_HEAD;
      parts.add(new Norm(LayerVector.Q_NORM, "self_attn.q_norm", each ? headDim : heads * headDim, false));
      parts.add(new Norm(LayerVector.K_NORM, "self_attn.k_norm", each ? headDim : kvHeads * headDim, false));
    }
    parts.add(new Linear(Product.O, "self_attn.o_proj", heads * headDim, hidden, outputBias));
    return parts;
  }

  /** The same with a gate for each head beside its query, in one projection. */
  List<Part> gatedAttention(boolean bias) {
    return attention(bias, bias, QueryKeyNorm.EACH_HEAD).stream().map(part -> part instanceof Linear l && l.name().endsWith("q_proj")
        ? new Linear(l.product(), l.name(), l.inputs(), 2 * l.outputs(), l.bias()) : part).toList();
  }

  /** Attention whose queries, keys and values are one linear layer. */
  List<Part> fusedAttention() {
    return List.of(new Linear(Product.QKV, "self_attn.qkv_proj", hidden, (heads + 2 * kvHeads) * headDim, false),
        new Linear(Product.O, "self_attn.o_proj", heads * headDim, hidden, false));
  }

  /** A gated MLP (Shazeer 2020). */
  List<Part> gatedMlp(boolean bias) {
    return List.of(new Linear(Product.GATE_UP, "mlp.gate_proj", hidden, intermediate, bias),
        new Linear(Product.GATE_UP, "mlp.up_proj", hidden, intermediate, bias),
        new Linear(Product.DOWN, "mlp.down_proj", intermediate, hidden, bias));
  }

  /** A gated MLP whose first two projections are one linear layer. */
  List<Part> fusedMlp(String first, String last) {
    return List.of(new Linear(Product.GATE_UP, first, hidden, 2 * intermediate, false),
        new Linear(Product.DOWN, last, intermediate, hidden, false));
  }

  /** Experts with a gated MLP each, and the router that chooses among them. */
  List<Part> experts(int count, int width) {
    List<Part> parts = new ArrayList<>(List.of(new Linear(Product.ROUTER, "mlp.gate", hidden, count, false)));
    for (int i = 0; i < count; i++) {
      parts.add(new Linear(Product.EXPERTS_GATE_UP, "mlp.experts." + i + ".gate_proj", hidden, width, false));
      parts.add(new Linear(Product.EXPERTS_GATE_UP, "mlp.experts." + i + ".up_proj", hidden, width, false));
    }
    for (int i = 0; i < count; i++) {
      parts.add(new Linear(Product.EXPERTS_DOWN, "mlp.experts." + i + ".down_proj", width, hidden, false));
    }
    return parts;
  }

  /** A norm before each part of a layer: the order of Llama and its kin. */
  List<Part> preNorm(List<Part> attention, List<Part> mlp) {
    return layer(List.of(norm(LayerVector.ATTENTION_NORM, "input_layernorm")), attention,
        List.of(norm(LayerVector.MLP_NORM, "post_attention_layernorm")), mlp, List.of());
  }

  /** A norm on what each part gives: the order of OLMo 2. */
  List<Part> postNorm(List<Part> attention, List<Part> mlp) {
    return layer(List.of(), attention, List.of(norm(LayerVector.ATTENTION_OUT_NORM, "post_attention_layernorm")), mlp,
        List.of(norm(LayerVector.MLP_OUT_NORM, "post_feedforward_layernorm")));
  }

  /** A norm before each part, and one on what it gives: the order of Gemma 2. */
  List<Part> sandwichNorm(List<Part> attention, List<Part> mlp) {
    return layer(List.of(norm(LayerVector.ATTENTION_NORM, "input_layernorm")), attention,
        List.of(norm(LayerVector.ATTENTION_OUT_NORM, "post_attention_layernorm"),
            norm(LayerVector.MLP_NORM, "pre_feedforward_layernorm")),
        mlp, List.of(norm(LayerVector.MLP_OUT_NORM, "post_feedforward_layernorm")));
  }

  private Norm norm(LayerVector place, String name) {
    return new Norm(place, name, hidden, false);
  }

  @SafeVarargs
  private static List<Part> layer(List<? extends Part>... parts) {
    List<Part> all = new ArrayList<>();
    for (List<? extends Part> some : parts) {
      all.addAll(some);
    }
    return all;
  }
}
