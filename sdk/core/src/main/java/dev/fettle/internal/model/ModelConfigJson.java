package dev.fettle.internal.model;

import dev.fettle.internal.checkpoint.QuantisationScheme;
import dev.fettle.internal.checkpoint.StoredType;
import dev.fettle.internal.checkpoint.StrictJson;
import dev.fettle.internal.json.ObjectNode;

/** Changes config.json for a model that is saved. */
public final class ModelConfigJson {
  private ModelConfigJson() {}

  /**
   * The text of a config.json with the type of the weights and the tying of the output layer replaced, all else as it
   * is; source names it in errors.
   */
  public static String edit(String json, String source, StoredType weights, boolean tied) {
    ObjectNode root = retyped(json, source, weights);
    root.put("tie_word_embeddings", tied);
    if (root.path("text_config") instanceof ObjectNode text) {
      text.put("tie_word_embeddings", tied);
    }
    return StrictJson.write(root);
  }

  /** The same of a network without an output layer: the file names the bare model. */
  public static String editBare(String json, String source, StoredType weights, Architecture architecture) {
    ObjectNode root = retyped(json, source, weights);
    root.putArray("architectures").add(architecture.className());
    return StrictJson.write(root);
  }

  private static ObjectNode retyped(String json, String source, StoredType weights) {
    ObjectNode root = (ObjectNode) StrictJson.parse(json, source);
    root.remove(QuantisationScheme.KEY);
    if (root.has("torch_dtype") || !root.has("dtype")) {
      root.put("torch_dtype", weights.torchName());
    }
    if (root.has("dtype")) {
      root.put("dtype", weights.torchName());
    }
    return root;
  }
}
