package dev.fettle.internal.model;

import dev.fettle.internal.checkpoint.JsonFields;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/** Reads the config.json of an encoder with the defaults that transformers has for it. */
final class EncoderConfigReader {
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

  private EncoderConfigReader() {}

  static ModelConfig read(JsonFields fields) {
    OFF.keySet().stream().sorted().forEach(key -> fields.refuseUnlessNeutral(key, 0, OFF.get(key)));
    only(fields, "position_embedding_type", "absolute", "positions are absolute");
    only(fields, "hidden_act", "gelu", "the activation of an encoder is gelu, the exact one");
    int hidden = fields.integer("hidden_size", 1, 1 << 20, 768);
    int heads = fields.integer("num_attention_heads", 1, 1 << 14, 12);
    if (hidden % heads != 0) {
      throw fields.invalid("num_attention_heads", "must divide hidden_size " + hidden);
    }
    int layers = fields.integer("num_hidden_layers", 1, 10_000, 12);
    return new ModelConfig(
        "bert",
        fields.integer("vocab_size", 1, 1 << 26, 30522),
        hidden,
        fields.integer("intermediate_size", 1, 1 << 24, 3072),
        layers,
        heads,
        heads,
        hidden / heads,
        fields.positive("layer_norm_eps", 1e-12),
        new Rope.Default(10_000),
        Collections.nCopies(layers, 0),
        true,
        true,
        true,
        false,
        true,
        fields.integer("max_position_embeddings", 1, 1 << 24, 512),
        ModelConfigReader.storedType(fields),
        OptionalInt.empty(),
        List.of(),
        fields.integer("type_vocab_size", 1, 1 << 16, 2));
  }

  private static void only(JsonFields fields, String key, String value, String reason) {
    if (fields.string(key).filter(found -> !found.equals(value)).isPresent()) {
      throw fields.unsupported(key, reason);
    }
  }
}
