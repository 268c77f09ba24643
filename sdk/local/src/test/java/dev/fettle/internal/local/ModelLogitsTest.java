package dev.fettle.internal.local;

import static dev.fettle.support.Golden.floats;
import static dev.fettle.support.Golden.ints;
import static dev.fettle.support.Golden.maxDifference;
import static org.assertj.core.api.Assertions.assertThat;

import dev.fettle.DType;
import dev.fettle.Quantisation;
import dev.fettle.internal.ProgressMeter;
import dev.fettle.internal.checkpoint.ModelDirectory;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.network.Adapter;
import dev.fettle.internal.network.Dropout;
import dev.fettle.internal.network.Head;
import dev.fettle.internal.network.Network;
import dev.fettle.internal.network.Packing;
import dev.fettle.internal.torch.Scope;
import dev.fettle.support.Golden;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The logits of every architecture and configuration variant against those of transformers. */
@Tag("golden")
class ModelLogitsTest {
  @TempDir Path temporary;

  @ParameterizedTest
  @ValueSource(strings = {"llama", "llama-untied", "llama-headdim", "llama-bias", "llama-rope-linear",
    "llama-rope-llama3", "mistral", "mistral-nowindow", "qwen2", "qwen2-window", "qwen3", "qwen3-untied-bias",
    "llama-sharded", "llama-f16", "llama-bf16",
    "llama-rope-yarn", "mistral-rope-yarn", "qwen2-rope-yarn", "qwen3-rope-yarn", "llama-rope-dynamic",
    "qwen2-rope-dynamic", "qwen3-rope-dynamic", "llama-rope-longrope", "qwen2-rope-longrope", "qwen3-rope-longrope"})
  void f32LogitsEqualTransformers(String name) {
    JsonNode golden = Golden.json("models/" + name + "/golden.json");

    List<float[]> logits = logits(Golden.path("models/" + name), DType.F32, golden);

    for (int i = 0; i < logits.size(); i++) {
      assertThat(maxDifference(logits.get(i), flat(golden.get("logits").get(i)))).as("sequence " + i).isLessThan(1e-4);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama", "llama-untied", "llama-headdim", "llama-bias", "llama-rope-linear",
    "llama-rope-llama3", "mistral", "qwen2", "qwen2-window", "qwen3", "qwen3-untied-bias",
    "llama-rope-yarn", "mistral-rope-yarn", "qwen2-rope-yarn", "qwen3-rope-yarn", "llama-rope-dynamic",
    "qwen2-rope-dynamic", "qwen3-rope-dynamic", "llama-rope-longrope", "qwen2-rope-longrope", "qwen3-rope-longrope"})
  void bf16LogitsDifferFromF32AtMostTwiceAsMuchAsThoseOfTransformers(String name) {
    JsonNode golden = Golden.json("models/" + name + "/golden.json");

    List<float[]> logits = logits(Golden.path("models/" + name), DType.BF16, golden);
    requireBf16(logits, golden);
  }

  /** Logits computed in bf16 are as near to those in f32 as transformers' own, within a factor of two. */
  static void requireBf16(List<float[]> logits, JsonNode golden) {
    double ours = 0;
    double theirs = 0;
    for (int i = 0; i < logits.size(); i++) {
      float[] exact = flat(golden.get("logits").get(i));
      ours += meanDifference(logits.get(i), exact);
      theirs += meanDifference(flat(golden.get("logits_bf16").get(i)), exact);
      assertThat(maxDifference(logits.get(i), exact)).isLessThan(2 * golden.get("bf16_max_difference").asDouble());
    }
    assertThat(ours).isLessThan(2 * theirs);
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama-bias", "llama-rope-linear", "llama-rope-llama3", "mistral", "qwen2", "qwen2-window",
    "qwen3", "llama-rope-yarn", "mistral-rope-yarn", "qwen2-rope-yarn", "qwen3-rope-yarn", "llama-rope-dynamic",
    "qwen2-rope-dynamic", "qwen3-rope-dynamic", "llama-rope-longrope", "qwen2-rope-longrope", "qwen3-rope-longrope"})
  void theConfigOfTransformers4MeansTheSame(String name) throws IOException {
    try (Stream<Path> files = Files.list(Golden.path("models/" + name))) {
      for (Path file : files.toList()) {
        Files.copy(file, temporary.resolve(file.getFileName()));
      }
    }
    Files.move(temporary.resolve("config-v4.json"), temporary.resolve("config.json"),
        java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    JsonNode golden = Golden.json("models/" + name + "/golden.json");

    List<float[]> logits = logits(temporary, DType.F32, golden);

    for (int i = 0; i < logits.size(); i++) {
      assertThat(maxDifference(logits.get(i), flat(golden.get("logits").get(i)))).as("sequence " + i).isLessThan(1e-4);
    }
  }

  /** All sequences in one packed pass. */
  static List<float[]> logits(Path directory, DType type, JsonNode golden) {
    return logits(directory, type, Optional.empty(), golden);
  }

  static List<float[]> logits(Path directory, DType type, Optional<Quantisation> quantisation, JsonNode golden) {
    List<int[]> sequences = new ArrayList<>();
    golden.get("tokens").forEach(t -> sequences.add(ints(t)));
    return EngineThread.get().call(() -> {
      LocalModel model = LocalModel.load(directory.getFileName().toString(),
          ModelDirectory.files(directory), Optional.of(type), quantisation, new ProgressMeter());
      try (Scope scope = new Scope()) {
        Network network = model.network();
        Packing packing = Packing.of(sequences);
        Adapter none = network.noAdapter();
        Network.Trace trace = network.forward(scope, model.weights(), none, packing, Dropout.NONE, Network.NOTHING);
        List<float[]> out = new ArrayList<>();
        for (int i = 0; i < sequences.size(); i++) {
          int[] rows = new int[sequences.get(i).length];
          int first = packing.starts()[i];
          Arrays.setAll(rows, j -> first + j);
          out.add(new Head(model.weights(), none, 1).logits(scope, trace.output(), rows).floats());
        }
        return out;
      } finally {
        model.close();
      }
    });
  }

  static float[] flat(JsonNode matrix) {
    float[] out = new float[matrix.size() * matrix.get(0).size()];
    for (int i = 0; i < matrix.size(); i++) {
      float[] row = floats(matrix.get(i));
      System.arraycopy(row, 0, out, i * row.length, row.length);
    }
    return out;
  }

  private static double meanDifference(float[] a, float[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += Math.abs(a[i] - b[i]);
    }
    return sum / a.length;
  }
}
