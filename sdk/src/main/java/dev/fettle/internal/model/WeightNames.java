package dev.fettle.internal.model;

import dev.fettle.InvalidInputException;
import dev.fettle.UnsupportedModelException;
import dev.fettle.internal.checkpoint.ModelDirectory;
import dev.fettle.internal.checkpoint.StoredTensor;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The weights that a model must have, by their Hugging Face names, and the check that a directory has them. */
public final class WeightNames {
  /** The token embedding, (vocab, hidden). */
  public static final String EMBEDDING = "model.embed_tokens.weight";
  /** The last norm, (hidden). */
  public static final String FINAL_NORM = "model.norm.weight";
  /** The output layer, (vocab, hidden); only in models whose embeddings are not tied. */
  public static final String OUTPUT = "lm_head.weight";

  private static final int COMPARED_AT_ONCE = 1 << 24;

  private WeightNames() {}

  /** All weights with their shapes, in the order of the {@link Layout}. */
  public static Map<String, long[]> expected(ModelConfig config) {
    Map<String, long[]> all = new LinkedHashMap<>();
    Layout.of(config).weights().values().forEach(w -> all.put(w.name(), w.shape()));
    return all;
  }

  /**
   * Checks that the directory has each expected weight in its shape and in F32, F16 or BF16, and nothing else. Two
   * extras are passed over: {@code rotary_emb.inv_freq}, which old files carry and config.json gives, and in a tied
   * model an output layer whose bytes equal the embedding's.
   *
   * @throws InvalidInputException if a weight is missing or of the wrong shape
   * @throws UnsupportedModelException if a weight has another type or is one that this architecture does not have
   */
  public static void check(ModelDirectory directory) {
    ModelConfig config = directory.config();
    if (config.encoder()) {
      EncoderNames.check(directory);
      return;
    }
    Map<String, long[]> expected = expected(config);
    expected.forEach((name, shape) -> checkOne(directory, name, shape));
    for (StoredTensor tensor : directory.tensors().values()) {
      if (!expected.containsKey(tensor.name())) {
        checkExtra(directory, tensor);
      }
    }
  }

  /** The stored tensor of a weight; null if there is none. */
  public static StoredTensor stored(ModelDirectory directory, String name) {
    return directory.config().encoder() ? EncoderNames.stored(directory, name) : directory.tensors().get(name);
  }

  static void checkOne(ModelDirectory directory, String name, long[] shape) {
    StoredTensor tensor = stored(directory, name);
    if (tensor == null) {
      String bare = name.startsWith("model.") ? name.substring("model.".length()) : name;
      boolean headless = directory.tensors().containsKey(bare);
      throw new InvalidInputException(
          directory.path() + ": tensor " + name + " is missing"
              + (headless ? "; there is " + bare + ": saved without its language model head?" : ""));
    }
    if (!tensor.hasShape(shape)) {
      throw new InvalidInputException(
          tensor.file() + ": tensor " + name + " has the shape " + Arrays.toString(tensor.shape())
              + ", config.json asks for " + Arrays.toString(shape));
    }
    if (!tensor.type().isWeight()) {
      throw new UnsupportedModelException(
          tensor.file() + ": tensor " + name + " is " + tensor.type() + "; weights can be F32, F16 or BF16");
    }
  }

  private static void checkExtra(ModelDirectory directory, StoredTensor tensor) {
    if (tensor.name().endsWith(".rotary_emb.inv_freq")) {
      return;
    }
    if (tensor.name().equals(OUTPUT)) {
      if (!sameBytes(directory, tensor, directory.tensors().get(EMBEDDING))) {
        throw new InvalidInputException(
            tensor.file() + ": tensor " + OUTPUT + " differs from " + EMBEDDING
                + " although config.json says tie_word_embeddings; set that to false if the output layer is its own");
      }
      return;
    }
    throw new UnsupportedModelException(
        tensor.file() + ": tensor " + tensor.name() + " is not a weight of a " + directory.config().architecture()
            + " model with this config.json");
  }

  private static boolean sameBytes(ModelDirectory directory, StoredTensor a, StoredTensor b) {
    if (a.type() != b.type() || !a.hasShape(b.shape())) {
      return false;
    }
    for (long from = 0; from < a.bytes(); from += COMPARED_AT_ONCE) {
      int length = (int) Math.min(COMPARED_AT_ONCE, a.bytes() - from);
      ByteBuffer left = directory.bytes(a, from, length);
      if (left.mismatch(directory.bytes(b, from, length)) >= 0) {
        return false;
      }
    }
    return true;
  }
}
