package dev.fettle.internal.model;

import dev.fettle.internal.checkpoint.JsonFields;
import dev.fettle.internal.checkpoint.StoredType;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;

/** Reads config.json with the defaults that transformers has for each architecture. */
final class ModelConfigReader {
  private static final int MAX_WIDTH = 1 << 20;
  private static final int MAX_HEADS = 1 << 14;
  private static final int MAX_HEAD_DIM = 1 << 14;
  private static final int MAX_LAYERS = 10_000;
  private static final int MAX_VOCAB = 1 << 26;
  private static final int DEFAULT_WINDOW = 4096;

  private final JsonFields fields;
  private final String architecture;

  private ModelConfigReader(JsonFields fields, String architecture) {
    this.fields = fields;
    this.architecture = architecture;
  }

  static ModelConfig read(JsonFields fields) {
    String type = fields.string("model_type").orElseThrow(() -> fields.invalid("model_type", "must name the model"));
    if (type.equals("bert")) {
      return EncoderConfigReader.read(fields);
    }
    if (!List.of("llama", "mistral", "qwen2", "qwen3").contains(type)) {
      throw fields.unsupported("model_type", "the architectures are llama, mistral, qwen2, qwen3 and, to embed texts, bert");
    }
    return new ModelConfigReader(fields, type).read();
  }

  private ModelConfig read() {
    requireCausalLanguageModel();
    UnsupportedKeys.refuse(fields, architecture);
    int hidden = fields.integer("hidden_size", 1, MAX_WIDTH);
    int layers = fields.integer("num_hidden_layers", 1, MAX_LAYERS);
    int heads = fields.integer("num_attention_heads", 1, MAX_HEADS);
    int headDim = headDim(hidden, heads);
    int contextLength = fields.integer("max_position_embeddings", 1, Integer.MAX_VALUE, defaultContextLength());
    boolean attentionBias = fields.bool("attention_bias", false);
    int vocab = fields.integer("vocab_size", 1, MAX_VOCAB);
    return new ModelConfig(
        architecture,
        vocab,
        hidden,
        fields.integer("intermediate_size", 1, 1 << 24),
        layers,
        heads,
        keyValueHeads(heads),
        headDim,
        fields.positive("rms_norm_eps", 1e-6),
        RopeReader.read(fields, contextLength),
        slidingWindows(layers),
        attentionBias || is("qwen2"),
        attentionBias && !is("qwen2"),
        fields.bool("mlp_bias", false),
        is("qwen3"),
        fields.bool("tie_word_embeddings", false),
        contextLength,
        storedType(fields),
        bosId(),
        eosIds(),
        0);
  }

  private boolean is(String name) {
    return architecture.equals(name);
  }

  private void requireCausalLanguageModel() {
    String expected = architecture + "forcausallm";
    List<String> classes = fields.strings("architectures");
    if (!classes.isEmpty() && classes.stream().noneMatch(name -> name.toLowerCase(Locale.ROOT).equals(expected))) {
      throw fields.unsupported("architectures", "only the causal language model of " + architecture + " is");
    }
  }

  private int headDim(int hidden, int heads) {
    int whenAbsent = is("qwen3") && !fields.mentions("head_dim") ? 128 : hidden / heads;
    if (!fields.has("head_dim") && !is("qwen3") && hidden % heads != 0) {
      throw fields.invalid("num_attention_heads", "must divide hidden_size " + hidden + " when head_dim is absent");
    }
    int headDim = fields.integer("head_dim", 1, MAX_HEAD_DIM, whenAbsent);
    if (headDim < 2 || headDim % 2 != 0) {
      String key = fields.has("head_dim") ? "head_dim" : "num_attention_heads";
      throw fields.invalid(key, "must give heads of an even size (here " + headDim + ")");
    }
    return headDim;
  }

  private int keyValueHeads(int heads) {
    int whenMissing = is("llama") ? heads : is("mistral") ? 8 : 32;
    int whenAbsent = fields.mentions("num_key_value_heads") ? heads : whenMissing;
    int count = fields.integer("num_key_value_heads", 1, MAX_HEADS, whenAbsent);
    if (heads % count != 0) {
      String must = "must divide num_attention_heads " + heads + " (default " + whenAbsent + ")";
      throw fields.invalid("num_key_value_heads", must);
    }
    return count;
  }

  private int defaultContextLength() {
    return is("llama") ? 2048 : is("mistral") ? 4096 * 32 : 32768;
  }

  private List<Integer> slidingWindows(int layers) {
    if (is("llama")) {
      return fromLayerTypes(layers, 0, Collections.nCopies(layers, 0));
    }
    int whenAbsent = fields.mentions("sliding_window") ? 0 : DEFAULT_WINDOW;
    int window = fields.integer("sliding_window", 1, Integer.MAX_VALUE, whenAbsent);
    if (is("mistral")) {
      return fromLayerTypes(layers, window, Collections.nCopies(layers, window));
    }
    window = fields.bool("use_sliding_window", false) ? window : 0;
    int firstWindowed = fields.integer("max_window_layers", 0, Integer.MAX_VALUE, 28);
    List<Integer> windows = new ArrayList<>();
    for (int i = 0; i < layers; i++) {
      windows.add(i >= firstWindowed ? window : 0);
    }
    return fromLayerTypes(layers, window, windows);
  }

  private List<Integer> fromLayerTypes(int layers, int window, List<Integer> computed) {
    if (!fields.has("layer_types")) {
      return computed;
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
    if (is("mistral") && !windows.equals(computed)) {
      throw fields.unsupported("layer_types", "a mistral model has one window for all layers; another is ministral");
    }
    return windows;
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

  private OptionalInt bosId() {
    if (!fields.mentions("bos_token_id") && (is("llama") || is("mistral"))) {
      return OptionalInt.of(1);
    }
    return fields.optionalInteger("bos_token_id", 0, MAX_VOCAB);
  }

  private List<Integer> eosIds() {
    if (!fields.mentions("eos_token_id") && (is("llama") || is("mistral"))) {
      return List.of(2);
    }
    return fields.integers("eos_token_id", 0, MAX_VOCAB);
  }
}
