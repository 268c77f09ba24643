package dev.fettle.internal.model;

import dev.fettle.internal.checkpoint.JsonFields;
import java.util.Map;

/**
 * Settings that transformers reads for each family of decoders and that would change the mathematics: rejected, naming the key.
 * What it reads for one family alone is for that family's class to reject; what it does not read means nothing, whatever
 * other programs take it for.
 */
final class UnsupportedKeys {
  /** Keys that must be absent, null, false, 0 or empty, with what they stand for. */
  private static final Map<String, String> OFF =
      Map.of(
          "per_layer_config", "settings that differ from layer to layer",
          "text_config", "models of several parts",
          "attention_dropout", "dropout in attention");

  private UnsupportedKeys() {}

  /** Those of any family. */
  static void reject(JsonFields fields) {
    OFF.keySet().stream().sorted().forEach(key -> fields.refuseUnlessNeutral(key, 0, OFF.get(key)));
    if (!fields.bool("is_causal", true)) {
      throw fields.unsupported("is_causal", "another kind of attention");
    }
  }
}
