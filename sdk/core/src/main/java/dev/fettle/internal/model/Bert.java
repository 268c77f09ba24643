package dev.fettle.internal.model;

import dev.fettle.internal.checkpoint.JsonFields;
import dev.fettle.internal.model.LayerConfig.Linear;
import dev.fettle.internal.model.LayerConfig.Norm;
import dev.fettle.internal.model.LayerConfig.Part;
import dev.fettle.internal.model.LayerNumbers.Activation;
import dev.fettle.internal.model.OuterWeight.Place;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/** BERT (Devlin et al. 2018): an encoder with embedded positions, norms of sums, and biases everywhere. */
final class Bert implements Architecture {
  /** Attention scores that the backward pass holds at once. */
  private static final long SCORES = Long.getLong("fettle.scores", 3L << 20);
  private static final String PREFIX = "bert.";
  /** What no embedding needs: the pooler, the heads of pre-training, and buffers that config.json gives. */
  private static final List<String> EXTRAS = List.of("pooler.", "cls.", "embeddings.position_ids");
  private static final String DECODING = "an encoder reads whole texts";
  /** Keys that must be absent, null, false, 0 or empty, with what they stand for. */
  private static final Map<String, String> OFF = Map.of(
      "is_decoder", DECODING,
      "add_cross_attention", DECODING,
      "is_encoder_decoder", DECODING,
      "quantization_config", "quantised weights",
      "compression_config", "quantised weights",
      "pruned_heads", "pruned heads",
      "embedding_size", "an embedding of another width than the layers");

  @Override
  public String type() {
    return "bert";
  }

  @Override
  public ModelConfig.Purpose purpose() {
    return ModelConfig.Purpose.EMBEDDING;
  }

  @Override
  public String className() {
    return "BertModel";
  }

  @Override
  public ModelConfig read(JsonFields config) {
    OFF.keySet().stream().sorted().forEach(key -> config.refuseUnlessNeutral(key, 0, OFF.get(key)));
    only(config, "position_embedding_type", "absolute", "positions are absolute");
    only(config, "hidden_act", "gelu", "the activation of an encoder is gelu, the exact one");
    int hidden = config.integer("hidden_size", 1, DecoderFields.MAX_WIDTH, 768);
    int heads = config.integer("num_attention_heads", 1, DecoderFields.MAX_HEADS, 12);
    if (hidden % heads != 0) {
      throw config.invalid("num_attention_heads", "must divide hidden_size " + hidden);
    }
    int layers = config.integer("num_hidden_layers", 1, DecoderFields.MAX_LAYERS, 12);
    int vocab = config.integer("vocab_size", 1, DecoderFields.MAX_VOCAB, 30522);
    int intermediate = config.integer("intermediate_size", 1, 1 << 24, 3072);
    int positions = config.integer("max_position_embeddings", 1, 1 << 24, 512);
    int segments = config.integer("type_vocab_size", 1, 1 << 16, 2);
    double eps = config.positive("layer_norm_eps", 1e-12);
    LayerNumbers numbers = new LayerNumbers(heads, heads, 0, 0, SCORES, false, false, Activation.GELU, eps,
        1 / Math.sqrt((double) hidden / heads), 1);
    List<LayerConfig> all = new ArrayList<>();
    for (int i = 0; i < layers; i++) {
      all.add(new LayerConfig("encoder.layer." + i + ".", parts(hidden, intermediate), numbers, hidden / heads,
          Optional.empty()));
    }
    return new ModelConfig(this, vocab, hidden, positions, eps, List.of(
        new OuterWeight(Place.EMBEDDING, "embeddings.word_embeddings.weight", vocab, hidden),
        new OuterWeight(Place.POSITIONS, "embeddings.position_embeddings.weight", positions, hidden),
        new OuterWeight(Place.SEGMENTS, "embeddings.token_type_embeddings.weight", segments, hidden),
        OuterWeight.vector(Place.EMBEDDING_NORM, "embeddings.LayerNorm.weight", hidden),
        OuterWeight.vector(Place.EMBEDDING_NORM_BIAS, "embeddings.LayerNorm.bias", hidden)),
        all, List.of(), DecoderFields.storedType(config), OptionalInt.empty(), List.of());
  }

  private static List<Part> parts(int hidden, int intermediate) {
    return List.of(
        new Linear(Product.QKV, "attention.self.query", hidden, hidden, true),
        new Linear(Product.QKV, "attention.self.key", hidden, hidden, true),
        new Linear(Product.QKV, "attention.self.value", hidden, hidden, true),
        new Linear(Product.O, "attention.output.dense", hidden, hidden, true),
        new Norm(LayerVector.ATTENTION_SUM_NORM, "attention.output.LayerNorm", hidden, true),
        new Linear(Product.GATE_UP, "intermediate.dense", hidden, intermediate, true),
        new Linear(Product.DOWN, "output.dense", intermediate, hidden, true),
        new Norm(LayerVector.MLP_SUM_NORM, "output.LayerNorm", hidden, true));
  }

  private static void only(JsonFields fields, String key, String value, String reason) {
    if (fields.string(key).filter(found -> !found.equals(value)).isPresent()) {
      throw fields.unsupported(key, reason);
    }
  }

  /** With or without {@code bert.} before them, and with gamma and beta for the norms, as the first BERT files have it. */
  @Override
  public List<String> namesInFiles(String weight) {
    String old = weight.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta");
    return List.of(weight, PREFIX + weight, old, PREFIX + old);
  }

  @Override
  public boolean ignores(String tensor) {
    String bare = tensor.startsWith(PREFIX) ? tensor.substring(PREFIX.length()) : tensor;
    return EXTRAS.stream().anyMatch(bare::startsWith);
  }

  @Override
  public Optional<String> prefix() {
    return Optional.empty();
  }
}
