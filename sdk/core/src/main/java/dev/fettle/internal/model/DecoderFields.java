package dev.fettle.internal.model;

import dev.fettle.internal.checkpoint.JsonFields;
import dev.fettle.internal.checkpoint.StoredType;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.model.LayerConfig.Numbers;
import dev.fettle.internal.model.LayerConfig.Part;
import dev.fettle.internal.model.LayerNumbers.Activation;
import dev.fettle.internal.model.LayerNumbers.Delta;
import dev.fettle.internal.model.LayerNumbers.Experts;
import dev.fettle.internal.model.OuterNumbers.EmbeddingScale;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * What the families of decoders have in common in their {@code config.json}. A family's own defaults, which are
 * transformers', are set before the parts are asked for.
 */
final class DecoderFields {
  /** What transformers calls a layer that sees the whole text. */
  static final String FULL = "full_attention";
  /** What it calls one that sees a window. */
  static final String SLIDING = "sliding_attention";
  static final int MAX_WIDTH = 1 << 20;
  static final int MAX_HEADS = 1 << 14;
  static final int MAX_LAYERS = 10_000;
  static final int MAX_VOCAB = 1 << 26;
  static final int MAX_HEAD_DIM = 1 << 14;
  /** Queries that attention takes at once. */
  private static final int TILE = 64;
  /** Tokens of a chunk of a layer with a state, and how many, counted once a head, such layers take at once. */
  private static final int CHUNK = 64;
  private static final long AT_ONCE = 1 << 13;

  final JsonFields fields;
  final int layers;
  final int hidden;
  final int heads;
  private final Architecture architecture;
  private final int vocabulary;
  private int intermediate;
  private int contextLength;
  private int kvHeads;
  private int headDim;
  private OptionalInt bosId = OptionalInt.empty();
  private OptionalInt padding = OptionalInt.empty();
  private List<Integer> eosIds = List.of();
  private Activation activation;
  private double scale = Double.NaN;
  private double residual = 1;
  private double softCap;
  private int growthPeriod;
  private double growth;
  private boolean unitOffset;
  private EmbeddingScale embeddingScale = EmbeddingScale.NONE;
  private double logitDivisor = 1;
  private double logitCap;
  private boolean tied;
  private double eps;
  private Experts experts = Experts.NONE;
  private boolean outputGate;
  private Delta delta = Delta.NONE;

  /** Sizes that a model has whose file does not mention them: those of transformers' configuration class. */
  record Sizes(int vocabulary, int hidden, int intermediate, int layers, int heads) {}

  /** The fields that all decoders have. */
  DecoderFields(Architecture architecture, JsonFields fields, Sizes whenMissing) {
    this.architecture = architecture;
    this.fields = fields;
    requireCausalLanguageModel();
    UnsupportedKeys.reject(fields);
    this.hidden = size("hidden_size", MAX_WIDTH, whenMissing.hidden);
    this.layers = size("num_hidden_layers", MAX_LAYERS, whenMissing.layers);
    this.heads = size("num_attention_heads", MAX_HEADS, whenMissing.heads);
    this.intermediate = size("intermediate_size", 1 << 24, whenMissing.intermediate);
    this.vocabulary = size("vocab_size", MAX_VOCAB, whenMissing.vocabulary);
    activation("hidden_act", "silu");
    tied(false);
    eps(1e-6);
  }

  /** A size that may be missing but not null. */
  private int size(String key, int max, int whenMissing) {
    return fields.mentions(key) ? fields.integer(key, 1, max) : whenMissing;
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

  /** The id that ends a text. */
  DecoderFields eosId(int id) {
    eosIds = List.of(id);
    return this;
  }

  /** The id that texts are padded with, if the file does not mention it. */
  DecoderFields padding(int whenMissing) {
    padding = OptionalInt.of(whenMissing);
    return this;
  }

  /** The id that texts are padded with, counted from the end where it is negative; none where no row of embeddings has it. */
  static OptionalInt padding(JsonFields fields, int vocabulary, OptionalInt whenMissing) {
    OptionalInt id = whenMissing;
    if (fields.mentions("pad_token_id")) {
      JsonNode given = fields.node("pad_token_id");
      id = given.isIntegralNumber() && given.canConvertToInt() ? OptionalInt.of(given.intValue()) : OptionalInt.empty();
    }
    boolean has = id.isPresent() && id.getAsInt() >= -vocabulary && id.getAsInt() < vocabulary;
    return has ? OptionalInt.of(Math.floorMod(id.getAsInt(), vocabulary)) : OptionalInt.empty();
  }

  /** The width of the MLP, where {@code intermediate_size} is something else. */
  DecoderFields intermediate(int width) {
    intermediate = width;
    return this;
  }

  /** The sliding window of each layer where all have one or none. */
  List<Integer> sameWindow(int window) {
    return Collections.nCopies(layers, window);
  }

  /** The sliding window of each layer, which {@code layer_types} overrides where it is there. */
  List<Integer> windows(int window, List<Integer> otherwise) {
    Optional<List<String>> types = attentionTypes(fields, layers);
    if (window == 0 && types.isPresent() && types.get().contains(SLIDING)) {
      throw fields.invalid("layer_types", "must be full_attention where no sliding window is in use");
    }
    return types.map(all -> all.stream().map(type -> type.equals(SLIDING) ? window : 0).toList()).orElse(otherwise);
  }

  /** What each layer sees, full_attention or sliding_attention, if the file says it layer by layer. */
  static Optional<List<String>> attentionTypes(JsonFields fields, int layers) {
    if (!fields.has("layer_types")) {
      return Optional.empty();
    }
    List<String> types = fields.strings("layer_types");
    if (types.size() != layers) {
      throw fields.invalid("layer_types", "must have one entry for each of the " + layers + " layers");
    }
    if (!Set.of(FULL, SLIDING).containsAll(types)) {
      throw fields.unsupported("layer_types", "the layer types are " + FULL + " and " + SLIDING);
    }
    return Optional.of(types);
  }

  /** The activation of the MLP by the name that transformers has for it, if the file does not say. */
  DecoderFields activation(String key, String whenAbsent) {
    String name = fields.string(key).orElse(whenAbsent);
    activation = switch (name) {
      case "silu", "swish" -> Activation.SILU;
      case "gelu", "gelu_python" -> Activation.GELU;
      case "gelu_pytorch_tanh", "gelu_new", "gelu_fast", "gelu_python_tanh" -> Activation.GELU_TANH;
      default -> throw fields.unsupported(key, "the activations are silu, gelu and gelu_pytorch_tanh");
    };
    return this;
  }

  /** What reads how queries and keys are rotated. */
  RopeReader ropes() {
    return new RopeReader(fields, contextLength, headDim);
  }

  /** What attention scores are multiplied with, in place of one over the root of a head's size. */
  DecoderFields attentionScale(double value) {
    scale = value;
    return this;
  }

  /** What each part is multiplied with before it is added to the residual stream. */
  DecoderFields residualScale(double value) {
    residual = value;
    return this;
  }

  /** The soft cap of attention scores; 0 for none. */
  DecoderFields attentionCap(double value) {
    softCap = value;
    return this;
  }

  /** Queries that grow with each period of positions. */
  DecoderFields queryGrowth(int period, double value) {
    growthPeriod = period;
    growth = value;
    return this;
  }

  /** Norms that multiply with 1 + weight. */
  DecoderFields unitOffset() {
    unitOffset = true;
    return this;
  }

  /** What embeddings are multiplied with. */
  DecoderFields embeddingScale(EmbeddingScale value) {
    embeddingScale = value;
    return this;
  }

  /** What logits are divided by. */
  DecoderFields logitDivisor(double value) {
    logitDivisor = value;
    return this;
  }

  /** The soft cap of logits; 0 for none. */
  DecoderFields logitCap(double value) {
    logitCap = value;
    return this;
  }

  /** Whether the output embedding is the input embedding, if the file does not say. */
  DecoderFields tied(boolean whenAbsent) {
    tied = fields.bool("tie_word_embeddings", whenAbsent);
    return this;
  }

  /** What the norms add to mean squares, if the file does not say. */
  DecoderFields eps(double whenAbsent) {
    eps = fields.positive("rms_norm_eps", whenAbsent);
    return this;
  }

  /** How many experts there are and how they are chosen, in those layers that have a router. */
  DecoderFields experts(Experts value) {
    experts = value;
    return this;
  }

  /** Gates for what attention gives, and what stands in its place in those layers that have a convolution. */
  DecoderFields withStates(Delta value) {
    outputGate = true;
    delta = value;
    return this;
  }

  /** The parts of this model's layers. */
  LayerParts parts() {
    return new LayerParts(hidden, heads, kvHeads, headDim, intermediate);
  }

  /** A model of equal layers but for their windows, with one rotation. */
  ModelConfig model(List<Part> parts, List<Integer> windows) {
    return model(parts, windows, Collections.nCopies(layers, Optional.of(ropes().read())));
  }

  /** A model of layers with the same parts, each with its window (0 for none) and its rotation, if it has one. */
  ModelConfig model(List<Part> parts, List<Integer> windows, List<Optional<Rope>> ropes) {
    return layered(Collections.nCopies(layers, parts), windows, ropes);
  }

  /** A model of layers each with its parts, its window and its rotation. */
  ModelConfig layered(List<List<Part>> parts, List<Integer> windows, List<Optional<Rope>> ropes) {
    double attentionScale = Double.isNaN(scale) ? 1 / Math.sqrt(headDim) : scale;
    List<LayerConfig> all = new ArrayList<>();
    for (int i = 0; i < layers; i++) {
      boolean state = parts.get(i).stream().anyMatch(Numbers.class::isInstance);
      LayerNumbers numbers = new LayerNumbers(heads, kvHeads, windows.get(i), state ? CHUNK : TILE, state ? AT_ONCE : 0, true, true,
          activation, unitOffset, growthPeriod, growth, eps, attentionScale, residual, softCap,
          isRouted(parts.get(i)) ? experts : Experts.NONE, outputGate && !state, state ? delta : Delta.NONE);
      all.add(new LayerConfig("model.layers." + i + ".", parts.get(i), numbers, headDim, ropes.get(i)));
    }
    List<OuterWeight> outputs = new ArrayList<>();
    outputs.add(OuterWeight.vector(OuterWeight.Place.FINAL_NORM, "model.norm.weight", hidden));
    if (!tied) {
      outputs.add(OuterWeight.head(vocabulary, hidden));
    }
    int longest = ropes.stream().flatMap(Optional::stream).mapToInt(rope -> rope.contextLength(contextLength)).max()
        .orElse(contextLength);
    return new ModelConfig(architecture, vocabulary, hidden, longest,
        new OuterNumbers(eps, unitOffset, embeddingScale, logitDivisor, logitCap, padding(fields, vocabulary, padding)),
        List.of(new OuterWeight(OuterWeight.Place.EMBEDDING, "model.embed_tokens.weight", vocabulary, hidden)), all, outputs,
        storedType(fields), bosId, eosIds);
  }

  private static boolean isRouted(List<Part> parts) {
    return parts.stream().anyMatch(p -> p instanceof LayerConfig.Linear l && l.product() == Product.ROUTER);
  }

  static StoredType storedType(JsonFields fields) {
    String key = fields.has("dtype") ? "dtype" : "torch_dtype";
    Optional<String> name = fields.string(key).filter(type -> !type.equals("auto"));
    if (name.isEmpty()) {
      return StoredType.F32;
    }
    return StoredType.ofTorch(name.get())
        .filter(StoredType::isWeight)
        .orElseThrow(() -> fields.unsupported(key, "the types of weights are float32, float16 and bfloat16"));
  }
}
