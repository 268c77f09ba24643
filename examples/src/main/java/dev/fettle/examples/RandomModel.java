package dev.fettle.examples;

import dev.fettle.FettleException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import tools.jackson.databind.json.JsonMapper;

/**
 * A temporary directory from which {@code Fettle.initialise} makes a model with random weights, for measurements: how
 * fast a model is does not depend on what it knows. Deleted on {@link #close()}.
 */
final class RandomModel implements AutoCloseable {
  private static final Map<String, Shape> SHAPES = new TreeMap<>(Map.of(
      "smollm2-135m", new Causal("llama", 49152, 576, 1536, 30, 9, 3, 64, 8192, 1e-5, 100_000, true),
      "qwen3-0.6b", new Causal("qwen3", 151_936, 1024, 3072, 28, 16, 8, 128, 40_960, 1e-6, 1e6, true),
      "qwen3-1.7b", new Causal("qwen3", 151_936, 2048, 6144, 28, 16, 8, 128, 40_960, 1e-6, 1e6, true),
      "qwen3-8b", new Causal("qwen3", 151_936, 4096, 12_288, 36, 32, 8, 128, 40_960, 1e-6, 1e6, false),
      "stories260k", new Causal("llama", 512, 64, 172, 5, 8, 4, 8, 512, 1e-5, 10_000, true),
      "tiny", new Causal("qwen3", 320, 32, 64, 2, 4, 2, 8, 128, 1e-6, 10_000, true),
      "minilm-l6-v2", new RandomEncoder(30_522, 384, 1536, 6, 12, 512),
      "tiny-encoder", new RandomEncoder(320, 32, 64, 2, 4, 64)));

  private static final JsonMapper JSON = new JsonMapper();

  private final Path directory;
  private final List<String> files = List.of("config.json", "tokenizer.json");

  /** What a model's directory says of it. */
  interface Shape {
    int layers();

    Map<String, Object> config();

    Map<String, Object> tokenizer();
  }

  /** The sizes of a causal model. */
  private record Causal(String type, int vocab, int hidden, int intermediate, int layers, int heads, int keyValueHeads,
      int headDim, int context, double eps, double theta, boolean tied) implements Shape {

    @Override
    public Map<String, Object> config() {
      Map<String, Object> config = new LinkedHashMap<>();
      config.put("model_type", type);
      config.put("vocab_size", vocab);
      config.put("hidden_size", hidden);
      config.put("intermediate_size", intermediate);
      config.put("num_hidden_layers", layers);
      config.put("num_attention_heads", heads);
      config.put("num_key_value_heads", keyValueHeads);
      config.put("head_dim", headDim);
      config.put("max_position_embeddings", context);
      config.put("hidden_act", "silu");
      config.put("rms_norm_eps", eps);
      config.put("rope_theta", theta);
      config.put("tie_word_embeddings", tied);
      config.put("torch_dtype", "bfloat16");
      // No end of text: every measurement samples as many tokens as it is asked to.
      config.put("bos_token_id", null);
      config.put("eos_token_id", null);
      return config;
    }

    @Override
    public Map<String, Object> tokenizer() {
      return RandomModel.bytes();
    }
  }

  private RandomModel(Path directory) {
    this.directory = directory;
    directory.toFile().deleteOnExit();
    files.forEach(file -> directory.resolve(file).toFile().deleteOnExit());
  }

  static List<String> shapes() {
    return List.copyOf(SHAPES.keySet());
  }

  /** What {@code config.json} says of one of {@link #shapes()}. */
  static Map<String, Object> config(String shape) {
    return SHAPES.get(shape).config();
  }

  /** Writes the directory of one of {@link #shapes()}. */
  static RandomModel write(String shape) {
    return write(shape, SHAPES.get(shape).layers());
  }

  /** The same with another number of layers. */
  static RandomModel write(String shape, int layers) {
    RandomModel model = null;
    try {
      model = new RandomModel(Files.createTempDirectory("fettle-random-"));
      Map<String, Object> config = config(shape);
      config.put("num_hidden_layers", layers);
      Files.writeString(model.directory.resolve("config.json"), JSON.writeValueAsString(config));
      Files.writeString(model.directory.resolve("tokenizer.json"), JSON.writeValueAsString(SHAPES.get(shape).tokenizer()));
      return model;
    } catch (IOException e) {
      if (model != null) {
        model.close();
      }
      throw new FettleException("no random model could be written below " + System.getProperty("java.io.tmpdir") + ": "
          + e + "; java.io.tmpdir can be set to another directory", e);
    }
  }

  Path directory() {
    return directory;
  }

  @Override
  public void close() {
    try {
      for (String file : files) {
        Files.deleteIfExists(directory.resolve(file));
      }
      Files.deleteIfExists(directory);
    } catch (IOException e) {
      throw new FettleException(directory + " could not be deleted: " + e, e);
    }
  }

  /** One token a byte, in the letters that byte-level tokenizers write bytes with. */
  private static Map<String, Object> bytes() {
    Map<String, Integer> vocab = new LinkedHashMap<>();
    int unprintable = 256;
    for (int b = 0; b < 256; b++) {
      boolean printable = b >= '!' && b <= '~' || b >= 0xA1 && b <= 0xAC || b >= 0xAE;
      vocab.put(String.valueOf((char) (printable ? b : unprintable++)), b);
    }
    Map<String, Object> bytes = Map.of("type", "ByteLevel", "add_prefix_space", false, "trim_offsets", false,
        "use_regex", false);
    Map<String, Object> tokenizer = new LinkedHashMap<>();
    tokenizer.put("version", "1.0");
    tokenizer.put("added_tokens", List.of());
    tokenizer.put("pre_tokenizer", bytes);
    tokenizer.put("decoder", bytes);
    tokenizer.put("model", Map.of("type", "BPE", "vocab", vocab, "merges", List.of()));
    return tokenizer;
  }
}
