package dev.fettle.internal.local;

import static dev.fettle.internal.local.ModelLogitsTest.flat;
import static dev.fettle.internal.local.ModelLogitsTest.logits;
import static dev.fettle.support.Golden.ints;
import static dev.fettle.support.Golden.maxDifference;
import static org.assertj.core.api.Assertions.assertThat;

import dev.fettle.DType;
import dev.fettle.Fettle;
import dev.fettle.Full;
import dev.fettle.Lora;
import dev.fettle.Loss;
import dev.fettle.Sample;
import dev.fettle.Sampler;
import dev.fettle.SamplingParams;
import dev.fettle.Training;
import dev.fettle.Tuning;
import dev.fettle.internal.checkpoint.SafetensorsFile;
import dev.fettle.internal.checkpoint.StoredTensor;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.local.GradientsTest.Trained;
import dev.fettle.support.Golden;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Each family of decoders that {@code families.py} has made a model of: what transformers and PEFT compute, and Fettle. */
@Tag("golden")
class FamiliesTest {
  @TempDir Path temporary;

  static List<String> families() throws IOException {
    try (Stream<Path> directories = Files.list(Golden.path("families"))) {
      return directories.map(d -> d.getFileName().toString()).sorted().toList();
    }
  }

  static List<String> withFilesOfTransformers4() throws IOException {
    return families().stream().filter(name -> Files.exists(directory(name).resolve("config-v4.json"))).toList();
  }

  private static Path directory(String name) {
    return Golden.path("families/" + name);
  }

  private static JsonNode golden(String name) {
    return Golden.json("families/" + name + "/golden.json");
  }

  @Test
  void someFamiliesAreThere() throws IOException {
    assertThat(families()).contains("gemma2", "gemma3");
    assertThat(withFilesOfTransformers4()).isNotEmpty();
  }

  @ParameterizedTest
  @MethodSource("families")
  void f32LogitsEqualTransformers(String name) {
    check(logits(directory(name), DType.F32, golden(name)), golden(name));
  }

  @Tag("once")
  @ParameterizedTest
  @MethodSource("withFilesOfTransformers4")
  void filesOfTransformers4MeanTheSame(String name) throws IOException {
    try (Stream<Path> files = Files.list(directory(name))) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Files.copy(file, temporary.resolve(file.getFileName()));
      }
    }
    Files.move(temporary.resolve("config-v4.json"), temporary.resolve("config.json"), StandardCopyOption.REPLACE_EXISTING);
    Path oldNames = temporary.resolve("model-v4.safetensors");
    if (Files.exists(oldNames)) {
      Files.move(oldNames, temporary.resolve("model.safetensors"), StandardCopyOption.REPLACE_EXISTING);
    }

    check(logits(temporary, DType.F32, golden(name)), golden(name));
  }

  private static void check(List<float[]> logits, JsonNode golden) {
    for (int i = 0; i < logits.size(); i++) {
      assertThat(maxDifference(logits.get(i), flat(golden.get("logits").get(i)))).as("sequence " + i).isLessThan(1e-4);
    }
  }

  @ParameterizedTest
  @MethodSource("families")
  void bf16LogitsDifferFromF32AtMostTwiceAsMuchAsThoseOfTransformers(String name) {
    JsonNode golden = golden(name);
    ModelLogitsTest.requireBf16(logits(directory(name), DType.BF16, golden), golden);
  }

  @ParameterizedTest
  @MethodSource("families")
  void greedyTokensOfPromptsOfUnequalLengthEqualGenerate(String name) {
    JsonNode golden = golden(name);
    List<int[]> prompts = new ArrayList<>();
    golden.get("prompts").forEach(p -> prompts.add(ints(p)));
    try (Fettle fettle = Fettle.local()) {
      Sampler sampler = fettle.load(directory(name), DType.F32).sampler();

      List<List<Sample>> samples = sampler.sample(prompts, SamplingParams.greedy().maxTokens(60).ignoringEos());

      for (int i = 0; i < prompts.size(); i++) {
        assertThat(samples.get(i).get(0).tokens()).hasSize(60).containsExactly(ints(golden.get("greedy").get(i)));
      }
    }
  }

  @Tag("once")
  @ParameterizedTest
  @ValueSource(strings = {"gemma3-vision", "mistral3", "llava", "qwen3.5", "qwen3.5-vision"})
  void whatIsNotTextIsSavedAsItWas(String name) throws IOException {
    for (String file : List.of("model.safetensors", "model-v4.safetensors")) {
      if (!Files.exists(directory(name).resolve(file))) {
        assertThat(name).startsWith("qwen3.5");
        continue;
      }
      Path base = Files.createDirectories(temporary.resolve(file));
      Files.copy(directory(name).resolve("config.json"), base.resolve("config.json"));
      Files.copy(directory(name).resolve(file), base.resolve("model.safetensors"));
      try (Fettle fettle = Fettle.local();
          Training training = fettle.load(base, DType.F32).tune(Lora.from(directory(name).resolve("lora")))) {
        training.saveMerged(temporary.resolve("saved-" + file));
      }
      try (SafetensorsFile before = SafetensorsFile.open(base.resolve("model.safetensors"));
          SafetensorsFile after = SafetensorsFile.open(temporary.resolve("saved-" + file).resolve("model.safetensors"))) {
        assertThat(after.tensors().keySet()).isEqualTo(before.tensors().keySet());
        int same = 0;
        for (StoredTensor t : before.tensors().values()) {
          ByteBuffer old = before.bytes(t, 0, (int) t.bytes());
          boolean equal = old.equals(after.bytes(after.tensors().get(t.name()), 0, (int) t.bytes()));
          boolean isOther = t.name().matches("mtp\\..*|.*(vision|visual|multi_modal).*");
          assertThat(equal).as(t.name()).isEqualTo(isOther || !t.name().matches(".*_proj(_\\w+)?\\.weight"));
          same += isOther ? 1 : 0;
        }
        assertThat(same).isGreaterThan(1);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("families")
  void gradientsOfLoraOnAllLinearLayersEqualAutograd(String name) {
    gradients(name, "lora", Lora.from(directory(name).resolve("lora")), "base_model.model.");
  }

  @ParameterizedTest
  @MethodSource("families")
  void gradientsOfAllWeightsEqualAutograd(String name) {
    gradients(name, "full", Full.all(), "");
  }

  private static void gradients(String name, String kind, Tuning tuning, String prefix) {
    String place = "families/" + name + "/" + kind;
    JsonNode golden = Golden.json(place + "/golden.json");
    GradientsTest.check("families/" + name, tuning, GradientsTest.supervised(golden), Loss.crossEntropy(),
        golden.get("loss").asDouble(), place + "/gradients.safetensors", prefix);
  }

  @Tag("once")
  @ParameterizedTest
  @MethodSource("families")
  void eachLossOfTwentyLoraStepsEqualsThatOfPeft(String name) {
    try (Trained t = Trained.open("families/" + name, Lora.from(directory(name).resolve("run/adapter-start")))) {
      TrainingRunTest.follow(Golden.json("families/" + name + "/run/run.json"), t);
    }
  }
}
