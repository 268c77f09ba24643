package dev.fettle.internal.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fettle.FettleException;
import dev.fettle.internal.model.ModelConfig;
import dev.fettle.internal.model.WeightNames;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** 2,000 random corruptions: each file loads, with all reads in range, or is refused with a message that names it. */
class CorruptionTest {
  private static final List<String> TOKENS =
      List.of(
          "0", "-1", "1", "2", "1e999", "9223372036854775807", "99999999999999999999", "0.5", "null", "true", "\"\"",
          "{}", "[]", "\"F32\"", "\"U8\"", "\"llama\"", "\"../x\"", "[[[[", "}", "]", ",", ":", "\"", "\\u0000",
          "NaN", "((((");

  @TempDir Path directory;
  private int loaded;
  private int refused;

  @Test
  void safetensors_load_or_are_refused() throws IOException {
    byte[] good = Files.readAllBytes(Fixtures.file("python.safetensors"));
    Path file = directory.resolve("x.safetensors");
    run(
        500,
        good,
        file,
        () -> {
          try (SafetensorsFile opened = SafetensorsFile.open(file)) {
            for (StoredTensor tensor : opened.tensors().values()) {
              ByteBuffer bytes = opened.bytes(tensor, 0, Math.toIntExact(tensor.bytes()));
              while (bytes.hasRemaining()) {
                bytes.get();
              }
            }
          }
        });
  }

  @Test
  void an_index_loads_or_is_refused() throws IOException {
    Path index = TinyModel.shard(TinyModel.write(directory, "qwen3"));
    run(500, Files.readAllBytes(index), index, this::openModel);
  }

  @Test
  void a_config_loads_or_is_refused() throws IOException {
    Path config = TinyModel.write(directory, "llama").resolve("config.json");
    run(500, Files.readAllBytes(config), config, this::openModel);
  }

  @Test
  void an_adapter_config_loads_or_is_refused() throws IOException {
    String json =
        """
        {"peft_type": "LORA", "r": 4, "lora_alpha": 8, "lora_dropout": 0.1, "bias": "none", "use_rslora": false,
         "target_modules": ["q_proj", "v_proj"], "layers_to_transform": [0, 1], "layers_pattern": "layers",
         "rank_pattern": {"layers.0.*": 2}, "alpha_pattern": {"v_proj": 16}, "exclude_modules": ".*[.]o_proj",
         "init_lora_weights": true, "task_type": "CAUSAL_LM", "base_model_name_or_path": "x"}
        """;
    Path file = directory.resolve("adapter_config.json");
    run(
        500,
        json.getBytes(StandardCharsets.UTF_8),
        file,
        () -> {
          AdapterConfig config = AdapterConfig.parse(file);
          String path = "model.layers.0.self_attn.q_proj";
          assertThat(config.targets(path) ? config.rank(path) : 1).isPositive();
          assertThat(config.scale(path)).isPositive();
          assertThat(AdapterConfig.parse(config.toJson(), "written")).isEqualTo(config);
        });
  }

  private void openModel() {
    try (ModelDirectory model = ModelDirectory.open(directory)) {
      WeightNames.check(model, ModelConfig.of(model.config()));
      for (StoredTensor tensor : model.tensors().values()) {
        assertThat(model.bytes(tensor, 0, Math.toIntExact(tensor.bytes())).remaining()).isEqualTo((int) tensor.bytes());
      }
    }
  }

  private void run(int times, byte[] good, Path file, Runnable load) throws IOException {
    Files.write(file, good);
    load.run();
    for (int seed = 0; seed < times; seed++) {
      Files.write(file, corrupt(good, new Random(seed)));
      try {
        load.run();
        loaded++;
      } catch (FettleException e) {
        refused++;
        // A weight that no longer fits its changed config is named by the weights' file beside it.
        boolean alone = !Files.exists(directory.resolve("config.json"));
        assertThat(e.getMessage()).as("seed %d", seed).contains((alone ? file : directory).toString());
        assertThat(e.getMessage()).as("seed %d", seed).hasLineCount(1).hasSizeLessThan(1000);
      } catch (Throwable e) {
        throw new AssertionError("seed " + seed + " let something else escape", e);
      }
    }
    assertThat(loaded + refused).isEqualTo(times);
    assertThat(refused).as("corruptions that were noticed").isGreaterThan(times / 3);
  }

  private static byte[] corrupt(byte[] good, Random random) {
    byte[] bytes = good.clone();
    switch (random.nextInt(6)) {
      case 0 -> {
        for (int i = random.nextInt(4); i >= 0; i--) {
          bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
        }
      }
      case 1 -> bytes = Arrays.copyOf(bytes, random.nextInt(bytes.length));
      case 2 -> bytes = Arrays.copyOf(bytes, bytes.length + 1 + random.nextInt(64));
      case 3 -> {
        long length = random.nextBoolean() ? random.nextInt(2 * bytes.length) : random.nextLong();
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(0, length);
      }
      case 4 -> bytes = splice(bytes, random, TOKENS.get(random.nextInt(TOKENS.size())));
      default -> bytes = replaceToken(bytes, random);
    }
    return bytes;
  }

  private static byte[] splice(byte[] bytes, Random random, String token) {
    int at = random.nextInt(bytes.length);
    int dropped = Math.min(random.nextInt(6), bytes.length - at);
    return join(bytes, at, at + dropped, token);
  }

  /** Replaces one number, string or literal as a whole, and keeps a safetensors header's length right. */
  private static byte[] replaceToken(byte[] bytes, Random random) {
    String text = new String(bytes, StandardCharsets.ISO_8859_1);
    var tokens = java.util.regex.Pattern.compile("-?[0-9][0-9.e-]*|\"[^\"]*\"|true|false|null").matcher(text);
    var spans = tokens.results().toList();
    var span = spans.get(random.nextInt(spans.size()));
    String token = TOKENS.get(random.nextInt(TOKENS.size()));
    byte[] result = join(bytes, span.start(), span.end(), token);
    if (bytes[0] != '{') {
      ByteBuffer header = ByteBuffer.wrap(result).order(ByteOrder.LITTLE_ENDIAN);
      header.putLong(0, header.getLong(0) + result.length - bytes.length);
    }
    return result;
  }

  private static byte[] join(byte[] bytes, int from, int to, String middle) {
    byte[] inserted = middle.getBytes(StandardCharsets.UTF_8);
    byte[] result = Arrays.copyOf(bytes, bytes.length - (to - from) + inserted.length);
    System.arraycopy(inserted, 0, result, from, inserted.length);
    System.arraycopy(bytes, to, result, from + inserted.length, bytes.length - to);
    return result;
  }
}
