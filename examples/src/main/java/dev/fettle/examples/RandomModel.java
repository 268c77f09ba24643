package dev.fettle.examples;

import dev.fettle.FettleException;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.stream.IntStream;
import tools.jackson.databind.json.JsonMapper;

/**
 * A temporary model directory with random weights, for measurements: how fast a model is does not depend on what it
 * knows. Weights are bf16, normal with deviation 0.02, and 1 in norms. Deleted on {@link #close()}.
 */
final class RandomModel implements AutoCloseable {
  private static final Map<String, Shape> SHAPES = new TreeMap<>(Map.of(
      "smollm2-135m", new Shape("llama", 49152, 576, 1536, 30, 9, 3, 64, 8192, 1e-5, 100_000),
      "qwen3-0.6b", new Shape("qwen3", 151_936, 1024, 3072, 28, 16, 8, 128, 40_960, 1e-6, 1e6),
      "stories260k", new Shape("llama", 512, 64, 172, 5, 8, 4, 8, 512, 1e-5, 10_000),
      "tiny", new Shape("qwen3", 320, 32, 64, 2, 4, 2, 8, 128, 1e-6, 10_000)));

  private static final JsonMapper JSON = new JsonMapper();
  private static final double DEVIATION = 0.02;
  private static final int DRAWS = 1 << 16;
  private static final short ONE = 0x3F80;

  private final Path directory;
  private final List<String> files = List.of("config.json", "tokenizer.json", "model.safetensors");

  /** The sizes of a model with tied embeddings. */
  private record Shape(String type, int vocab, int hidden, int intermediate, int layers, int heads, int keyValueHeads,
      int headDim, int context, double eps, double theta) {

    Map<String, Object> config() {
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
      config.put("tie_word_embeddings", true);
      config.put("torch_dtype", "bfloat16");
      // No end of text: every measurement samples as many tokens as it is asked to.
      config.put("bos_token_id", null);
      config.put("eos_token_id", null);
      return config;
    }

    Map<String, int[]> weights() {
      Map<String, int[]> all = new LinkedHashMap<>();
      all.put("model.embed_tokens.weight", new int[] {vocab, hidden});
      for (int i = 0; i < layers; i++) {
        String layer = "model.layers." + i + ".";
        all.put(layer + "input_layernorm.weight", new int[] {hidden});
        all.put(layer + "self_attn.q_proj.weight", new int[] {heads * headDim, hidden});
        all.put(layer + "self_attn.k_proj.weight", new int[] {keyValueHeads * headDim, hidden});
        all.put(layer + "self_attn.v_proj.weight", new int[] {keyValueHeads * headDim, hidden});
        if (type.equals("qwen3")) {
          all.put(layer + "self_attn.q_norm.weight", new int[] {headDim});
          all.put(layer + "self_attn.k_norm.weight", new int[] {headDim});
        }
        all.put(layer + "self_attn.o_proj.weight", new int[] {hidden, heads * headDim});
        all.put(layer + "post_attention_layernorm.weight", new int[] {hidden});
        all.put(layer + "mlp.gate_proj.weight", new int[] {intermediate, hidden});
        all.put(layer + "mlp.up_proj.weight", new int[] {intermediate, hidden});
        all.put(layer + "mlp.down_proj.weight", new int[] {hidden, intermediate});
      }
      all.put("model.norm.weight", new int[] {hidden});
      return all;
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

  /** Writes a model of one of {@link #shapes()}; equal seeds give equal weights. */
  static RandomModel write(String shape, long seed) {
    RandomModel model = null;
    try {
      model = new RandomModel(Files.createTempDirectory("fettle-random-"));
      Shape sizes = SHAPES.get(shape);
      Files.writeString(model.directory.resolve("config.json"), JSON.writeValueAsString(sizes.config()));
      Files.writeString(model.directory.resolve("tokenizer.json"), JSON.writeValueAsString(tokenizer()));
      weights(model.directory.resolve("model.safetensors"), sizes.weights(), new SplittableRandom(seed));
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
  private static Map<String, Object> tokenizer() {
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

  private static void weights(Path file, Map<String, int[]> shapes, SplittableRandom random) throws IOException {
    Map<String, Object> header = new LinkedHashMap<>();
    long end = 0;
    for (Map.Entry<String, int[]> weight : shapes.entrySet()) {
      long start = end;
      end += 2L * size(weight.getValue());
      header.put(weight.getKey(),
          Map.of("dtype", "BF16", "shape", weight.getValue(), "data_offsets", List.of(start, end)));
    }
    byte[] json = JSON.writeValueAsString(header).getBytes(StandardCharsets.UTF_8);
    byte[] padded = Arrays.copyOf(json, (json.length + 7) / 8 * 8);
    Arrays.fill(padded, json.length, padded.length, (byte) ' ');
    short[] normal = normal(random);
    try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(file), 1 << 20)) {
      out.write(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(padded.length).array());
      out.write(padded);
      for (Map.Entry<String, int[]> weight : shapes.entrySet()) {
        weight(out, weight.getValue(), weight.getKey().contains("norm") ? null : normal, random);
      }
    }
  }

  private static int size(int[] shape) {
    return IntStream.of(shape).reduce(1, Math::multiplyExact);
  }

  private static void weight(OutputStream out, int[] shape, short[] normal, SplittableRandom random)
      throws IOException {
    int row = shape[shape.length - 1];
    byte[] bytes = new byte[2 * row];
    for (int left = size(shape); left > 0; left -= row) {
      for (int i = 0; i < row; i++) {
        short value = normal == null ? ONE : normal[random.nextInt() & (DRAWS - 1)];
        bytes[2 * i] = (byte) value;
        bytes[2 * i + 1] = (byte) (value >> 8);
      }
      out.write(bytes);
    }
  }

  /** Draws to choose from, since drawing each of a billion weights anew would take longer than the measurement. */
  private static short[] normal(SplittableRandom random) {
    short[] draws = new short[DRAWS];
    for (int i = 0; i < DRAWS; i++) {
      draws[i] = (short) (Float.floatToIntBits((float) (DEVIATION * random.nextGaussian())) >>> 16);
    }
    return draws;
  }
}
