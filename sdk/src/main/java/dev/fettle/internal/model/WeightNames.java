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

  /** All weights with their shapes, in the order in which the model uses them. */
  public static Map<String, long[]> expected(ModelConfig config) {
    Map<String, long[]> all = new LinkedHashMap<>();
    all.put(EMBEDDING, new long[] {config.vocabSize(), config.hiddenSize()});
    for (int i = 0; i < config.layers(); i++) {
      layer(config, "model.layers." + i + ".", all);
    }
    all.put(FINAL_NORM, new long[] {config.hiddenSize()});
    if (!config.tiedEmbeddings()) {
      all.put(OUTPUT, new long[] {config.vocabSize(), config.hiddenSize()});
    }
    return all;
  }

  private static void layer(ModelConfig config, String prefix, Map<String, long[]> all) {
    long hidden = config.hiddenSize();
    all.put(prefix + "input_layernorm.weight", new long[] {hidden});
    String attention = prefix + "self_attn.";
    linear(all, attention + "q_proj", config.queryWidth(), hidden, config.queryKeyValueBias());
    linear(all, attention + "k_proj", config.keyValueWidth(), hidden, config.queryKeyValueBias());
    linear(all, attention + "v_proj", config.keyValueWidth(), hidden, config.queryKeyValueBias());
    if (config.queryKeyNorm()) {
      all.put(attention + "q_norm.weight", new long[] {config.headDim()});
      all.put(attention + "k_norm.weight", new long[] {config.headDim()});
    }
    linear(all, attention + "o_proj", hidden, config.queryWidth(), config.outputBias());
    all.put(prefix + "post_attention_layernorm.weight", new long[] {hidden});
    linear(all, prefix + "mlp.gate_proj", config.intermediateSize(), hidden, config.mlpBias());
    linear(all, prefix + "mlp.up_proj", config.intermediateSize(), hidden, config.mlpBias());
    linear(all, prefix + "mlp.down_proj", hidden, config.intermediateSize(), config.mlpBias());
  }

  private static void linear(Map<String, long[]> all, String name, long out, long in, boolean bias) {
    all.put(name + ".weight", new long[] {out, in});
    if (bias) {
      all.put(name + ".bias", new long[] {out});
    }
  }

  /**
   * Paths of the linear layers of the decoder, such as {@code model.layers.0.self_attn.q_proj}: all that an adapter
   * can target.
   */
  public static List<String> linearLayers(ModelConfig config) {
    List<String> paths = new ArrayList<>();
    for (String name : expected(config).keySet()) {
      if (name.endsWith("_proj.weight")) {
        paths.add(name.substring(0, name.length() - ".weight".length()));
      }
    }
    return List.copyOf(paths);
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
    Map<String, long[]> expected = expected(config);
    expected.forEach((name, shape) -> checkOne(directory, name, shape));
    for (StoredTensor tensor : directory.tensors().values()) {
      if (!expected.containsKey(tensor.name())) {
        checkExtra(directory, tensor);
      }
    }
  }

  private static void checkOne(ModelDirectory directory, String name, long[] shape) {
    StoredTensor tensor = directory.tensors().get(name);
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
