package dev.fettle.internal.model;

import dev.fettle.internal.checkpoint.JsonFields;
import dev.fettle.internal.model.LayerConfig.Part;
import dev.fettle.internal.model.LayerNumbers.Activation;
import dev.fettle.internal.model.OuterWeight.Place;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/** What the families of encoders have in common in their {@code config.json}: sizes, the activation, and what is refused. */
final class EncoderFields {
  /** Queries that attention takes at once where it needs scores of its own. */
  static final int TILE = 128;
  /** Attention scores that the backward pass holds at once. */
  static final long SCORES = Long.getLong("fettle.scores", 3L << 20);
  private static final String DECODING = "an encoder reads whole texts";
  /** Keys that must be absent, null, false, 0 or empty, with what they stand for. */
  private static final Map<String, String> OFF = Map.of(
      "is_decoder", DECODING,
      "add_cross_attention", DECODING,
      "is_encoder_decoder", DECODING,
      "compression_config", "quantised weights",
      "pruned_heads", "pruned heads",
      "embedding_size", "an embedding of another width than the layers");
  private static final Map<String, Activation> ACTIVATIONS = Map.of("gelu", Activation.GELU, "gelu_python", Activation.GELU,
      "gelu_new", Activation.GELU_TANH, "gelu_fast", Activation.GELU_TANH, "gelu_pytorch_tanh", Activation.GELU_TANH,
      "silu", Activation.SILU, "swish", Activation.SILU);

  final JsonFields fields;
  final int hidden;
  final int heads;
  final int layers;
  final int intermediate;
  private final Architecture architecture;
  private final int vocab;
  private int padding;

  /**
   * The names of four keys, in the order of their defaults: width, heads, layers, width within the MLP.
   *
   * @param defaults of the four and of the vocabulary
   */
  EncoderFields(Architecture architecture, JsonFields fields, List<String> keys, int... defaults) {
    this.architecture = architecture;
    this.fields = fields;
    OFF.keySet().stream().sorted().forEach(key -> fields.refuseUnlessNeutral(key, 0, OFF.get(key)));
    only("position_embedding_type", Set.of("absolute"), "positions are absolute");
    this.hidden = fields.integer(keys.get(0), 1, DecoderFields.MAX_WIDTH, defaults[0]);
    this.heads = fields.integer(keys.get(1), 1, DecoderFields.MAX_HEADS, defaults[1]);
    this.layers = fields.integer(keys.get(2), 1, DecoderFields.MAX_LAYERS, defaults[2]);
    this.intermediate = fields.integer(keys.get(3), 1, 1 << 24, defaults[3]);
    this.vocab = fields.integer("vocab_size", 1, DecoderFields.MAX_VOCAB, defaults[4]);
    if (hidden % heads != 0) {
      throw fields.invalid(keys.get(1), "must divide " + keys.get(0) + " " + hidden);
    }
  }

  /** The token that texts are padded with, if the file does not mention it; 0 for most. */
  EncoderFields padding(int whenMissing) {
    padding = whenMissing;
    return this;
  }

  /** Numbers a head. */
  int headDim() {
    return hidden / heads;
  }

  /** What stands between the MLP's products. */
  Activation activation(String key) {
    String name = fields.string(key).orElse("gelu");
    if (!ACTIVATIONS.containsKey(name)) {
      throw fields.unsupported(key, "the activations are " + String.join(", ", ACTIVATIONS.keySet().stream().sorted().toList()));
    }
    return ACTIVATIONS.get(name);
  }

  /** The rows of the table of positions, and the first of them that is used. */
  int positions(int firstUsed) {
    return fields.integer("max_position_embeddings", firstUsed + 1, 1 << 24, 512);
  }

  /** Refuses other values of a key, should it be there. */
  void only(String key, Set<String> values, String reason) {
    if (fields.string(key).filter(found -> !values.contains(found)).isPresent()) {
      throw fields.unsupported(key, reason);
    }
  }

  /** Tokens' embeddings, and positions' in a table of so many rows. */
  List<OuterWeight> embeddings(int positions) {
    return new ArrayList<>(List.of(
        new OuterWeight(Place.EMBEDDING, "embeddings.word_embeddings.weight", vocab, hidden),
        new OuterWeight(Place.POSITIONS, "embeddings.position_embeddings.weight", positions, hidden)));
  }

  /** The norm of embeddings that are summed. */
  List<OuterWeight> embeddingNorm() {
    return List.of(OuterWeight.vector(Place.EMBEDDING_NORM, "embeddings.LayerNorm.weight", hidden),
        OuterWeight.vector(Place.EMBEDDING_NORM_BIAS, "embeddings.LayerNorm.bias", hidden));
  }

  /** The embedding of tokens alone, by its name. */
  OuterWeight embedding(String name) {
    return new OuterWeight(Place.EMBEDDING, name, vocab, hidden);
  }

  /** The numbers of a layer without a gate that sees whole texts. */
  LayerNumbers numbers(Activation activation, double eps) {
    return new LayerNumbers(heads, heads, 0, TILE, SCORES, false, false, activation, eps, 1 / Math.sqrt((double) headDim()), 1);
  }

  /** Equal layers without rotation. */
  ModelConfig model(String path, List<Part> parts, LayerNumbers numbers, List<OuterWeight> embeddings, int contextLength) {
    List<LayerConfig> all = new ArrayList<>();
    for (int i = 0; i < layers; i++) {
      all.add(new LayerConfig(path + i + ".", parts, numbers, headDim(), Optional.empty()));
    }
    return model(all, numbers.eps(), embeddings, List.of(), contextLength);
  }

  ModelConfig model(List<LayerConfig> all, double eps, List<OuterWeight> embeddings, List<OuterWeight> outputs, int contextLength) {
    return new ModelConfig(architecture, vocab, hidden, contextLength,
        OuterNumbers.of(eps, DecoderFields.padding(fields, vocab, OptionalInt.of(padding))), embeddings, all, outputs,
        DecoderFields.storedType(fields), OptionalInt.empty(), List.of());
  }
}
