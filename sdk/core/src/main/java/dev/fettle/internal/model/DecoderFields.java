package dev.fettle.internal.model;

import dev.fettle.internal.checkpoint.JsonFields;
import dev.fettle.internal.checkpoint.StoredType;
import dev.fettle.internal.model.LayerConfig.Linear;
import dev.fettle.internal.model.LayerConfig.Norm;
import dev.fettle.internal.model.LayerConfig.Part;
import dev.fettle.internal.model.LayerNumbers.Activation;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What the families of decoders have in common in their {@code config.json}, and the parts that their layers are built of.
 * A family's own defaults, which are transformers', are set before the first part is asked for.
 */
final class DecoderFields {
  static final int MAX_WIDTH = 1 << 20;
  static final int MAX_HEADS = 1 << 14;
  static final int MAX_LAYERS = 10_000;
  static final int MAX_VOCAB = 1 << 26;
  private static final int MAX_HEAD_DIM = 1 << 14;
  /** Queries that attention takes at once. */
  private static final int TILE = 128;

  final JsonFields fields;
  final int layers;
  final int hidden;
  final int heads;
  private final Architecture architecture;
  private final int intermediate;
  private int contextLength;
  private int kvHeads;
  private int headDim;
  private OptionalInt bosId = OptionalInt.empty();
  private List<Integer> eosIds = List.of();

  DecoderFields(Architecture architecture, JsonFields fields) {
    this.architecture = architecture;
    this.fields = fields;
    requireCausalLanguageModel();
    UnsupportedKeys.reject(fields);
    this.hidden = fields.integer("hidden_size", 1, MAX_WIDTH);
    this.layers = fields.integer("num_hidden_layers", 1, MAX_LAYERS);
    this.heads = fields.integer("num_attention_heads", 1, MAX_HEADS);
    this.intermediate = fields.integer("intermediate_size", 1, 1 << 24);
  }

  private void requireCausalLanguageModel() {
    String expected = architecture.className().toLowerCase(Locale.ROOT);
    List<String> classes = fields.strings("architectures");
    if (!classes.isEmpty() && classes.stream().noneMatch(name -> name.toLowerCase(Locale.ROOT).equals(expected))) {
      throw fields.unsupported("architectures", "only the causal language model of " + architecture.type() + " is");
    }
  }

  /** Positions that the model is made for, if the file does not say. */
  DecoderFields contextLength(int whenAbsent) {
    contextLength = fields.integer("max_position_embeddings", 1, Integer.MAX_VALUE, whenAbsent);
    return this;
  }

  /** Heads of keys and values, if the file does not mention them; as many as queries have where it says null. */
  DecoderFields keyValueHeads(int whenMissing) {
    int whenAbsent = fields.mentions("num_key_value_heads") ? heads : whenMissing;
    kvHeads = fields.integer("num_key_value_heads", 1, MAX_HEADS, whenAbsent);
    if (heads % kvHeads != 0) {
      throw fields.invalid("num_key_value_heads",
          "must divide num_attention_heads " + heads + " (default " + whenAbsent + ")");
    }
    return this;
  }

  /** Numbers a head where the file does not give them: hidden / heads. */
  DecoderFields headDim() {
    if (!fields.has("head_dim") && hidden % heads != 0) {
      throw fields.invalid("num_attention_heads", "must divide hidden_size " + hidden + " when head_dim is absent");
    }
    return headDim(hidden / heads);
  }

  /** Numbers a head, if the file does not say. */
  DecoderFields headDim(int whenAbsent) {
    headDim = fields.integer("head_dim", 1, MAX_HEAD_DIM, whenAbsent);
    if (headDim < 2 || headDim % 2 != 0) {
      throw fields.invalid(fields.has("head_dim") ? "head_dim" : "num_attention_heads",
          "must give heads of an even size (here " + headDim + ")");
    }
    return this;
  }

  /** Ids that begin and end a text, if the file does not mention them. */
  DecoderFields textIds(int bosWhenMissing, int eosWhenMissing) {
    bosId = fields.mentions("bos_token_id") ? fields.optionalInteger("bos_token_id", 0, MAX_VOCAB)
        : OptionalInt.of(bosWhenMissing);
    eosIds = fields.mentions("eos_token_id") ? fields.integers("eos_token_id", 0, MAX_VOCAB) : List.of(eosWhenMissing);
    return this;
  }

  /** Ids that begin and end a text; none if the file does not mention them. */
  DecoderFields textIds() {
    bosId = fields.optionalInteger("bos_token_id", 0, MAX_VOCAB);
    eosIds = fields.integers("eos_token_id", 0, MAX_VOCAB);
    return this;
  }

  /** The sliding window of each layer where all have one or none. */
  List<Integer> sameWindow(int window) {
    return windows(window, Collections.nCopies(layers, window));
  }

  /** The sliding window of each layer, which {@code layer_types} overrides where it is there. */
  List<Integer> windows(int window, List<Integer> otherwise) {
    if (!fields.has("layer_types")) {
      return otherwise;
    }
    List<String> types = fields.strings("layer_types");
    if (types.size() != layers) {
      throw fields.invalid("layer_types", "must have one entry for each of the " + layers + " layers");
    }
    List<Integer> windows = new ArrayList<>();
    for (String type : types) {
      if (!type.equals("full_attention") && !type.equals("sliding_attention")) {
        throw fields.unsupported("layer_types", "the layer types are full_attention and sliding_attention");
      }
      windows.add(type.equals("sliding_attention") ? window : 0);
    }
    if (types.contains("sliding_attention") && window == 0) {
      throw fields.invalid("layer_types", "must be full_attention where no sliding window is in use");
    }
    return windows;
  }

  /** What reads how queries and keys are rotated. */
  RopeReader ropes() {
    return new RopeReader(fields, contextLength, headDim);
  }

  /** The projections of attention, as most families name them. */
  List<Part> attention(boolean queryKeyValueBias, boolean outputBias, boolean queryKeyNorm) {
    List<Part> parts = new ArrayList<>(List.of(
        new Linear(Product.QKV, "self_attn.q_proj", hidden, heads * headDim, queryKeyValueBias),
        new Linear(Product.QKV, "self_attn.k_proj", hidden, kvHeads * headDim, queryKeyValueBias),
        new Linear(Product.QKV, "self_attn.v_proj", hidden, kvHeads * headDim, queryKeyValueBias)));
    if (queryKeyNorm) {
      parts.add(new Norm(LayerVector.Q_NORM, "self_attn.q_norm", headDim, false));
      parts.add(new Norm(LayerVector.K_NORM, "self_attn.k_norm", headDim, false));
    }
    parts.add(new Linear(Product.O, "self_attn.o_proj", heads * headDim, hidden, outputBias));
    return parts;
  }

  /** A gated MLP, as most families name it. */
  List<Part> gatedMlp(boolean bias) {
    return List.of(new Linear(Product.GATE_UP, "mlp.gate_proj", hidden, intermediate, bias),
        new Linear(Product.GATE_UP, "mlp.up_proj", hidden, intermediate, bias),
        new Linear(Product.DOWN, "mlp.down_proj", intermediate, hidden, bias));
  }

  /** A norm before each part of a layer: the order of Llama and its kin. */
  List<Part> preNorm(List<Part> attention, List<Part> mlp) {
    List<Part> parts = new ArrayList<>();
    parts.add(new Norm(LayerVector.ATTENTION_NORM, "input_layernorm", hidden, false));
    parts.addAll(attention);
    parts.add(new Norm(LayerVector.MLP_NORM, "post_attention_layernorm", hidden, false));
    parts.addAll(mlp);
    return parts;
  }

  /** A model of equal layers but for their windows, with rotary positions and RMS norms. */
  ModelConfig model(List<Part> parts, List<Integer> windows) {
    double eps = fields.positive("rms_norm_eps", 1e-6);
    Rope rope = ropes().read();
    List<LayerConfig> all = new ArrayList<>();
    for (int i = 0; i < layers; i++) {
      LayerNumbers numbers = new LayerNumbers(heads, kvHeads, windows.get(i), TILE, 0, true, true, Activation.SILU, eps,
          1 / Math.sqrt(headDim), 1);
      all.add(new LayerConfig("model.layers." + i + ".", parts, numbers, headDim, Optional.of(rope)));
    }
    int vocab = fields.integer("vocab_size", 1, MAX_VOCAB);
    List<OuterWeight> outputs = new ArrayList<>();
    outputs.add(OuterWeight.vector(OuterWeight.Place.FINAL_NORM, "model.norm.weight", hidden));
    if (!fields.bool("tie_word_embeddings", false)) {
      outputs.add(OuterWeight.head(vocab, hidden));
    }
    return new ModelConfig(architecture, vocab, hidden, rope.contextLength(contextLength), eps,
        List.of(new OuterWeight(OuterWeight.Place.EMBEDDING, "model.embed_tokens.weight", vocab, hidden)), all, outputs,
        storedType(fields), bosId, eosIds);
  }

  static StoredType storedType(JsonFields fields) {
    String key = fields.has("dtype") ? "dtype" : "torch_dtype";
    Optional<String> name = fields.string(key);
    if (name.isEmpty()) {
      return StoredType.F32;
    }
    return StoredType.ofTorch(name.get())
        .filter(StoredType::isWeight)
        .orElseThrow(() -> fields.unsupported(key, "the types of weights are float32, float16 and bfloat16"));
  }
}
