package dev.fettle.internal.local;

import static dev.fettle.support.Golden.floats;
import static dev.fettle.support.Golden.ints;
import static dev.fettle.support.Golden.maxDifference;
import static dev.fettle.support.Golden.relativeDifference;
import static org.assertj.core.api.Assertions.assertThat;

import dev.fettle.DType;
import dev.fettle.Lora;
import dev.fettle.Loss;
import dev.fettle.LossResult;
import dev.fettle.internal.ProgressMeter;
import dev.fettle.internal.checkpoint.ModelDirectory;
import dev.fettle.internal.checkpoint.SafetensorsFile;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.local.GradientsTest.Trained;
import dev.fettle.support.Golden;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** DoRA, trained biases, adapters of embeddings and modules trained in full beside adapters, against PEFT. */
@Tag("golden")
class MethodsTest {
  @TempDir Path directory;

  @ParameterizedTest
  @ValueSource(strings = {"dora", "dora-some", "dora-qwen3", "bias", "bias-on-bias", "embedding", "embedding-tied", "head",
    "head-tied", "both", "saved-head", "saved-embedding", "saved-both", "saved-norms", "saved-projections", "saved-layer"})
  void lossAndGradientsOfAllThatIsTrainedEqualAutograd(String kind) {
    JsonNode golden = Golden.json("methods/" + kind + "/golden.json");
    try (Trained t = Trained.open("models/" + golden.get("model").asString(), Lora.from(Golden.path("methods/" + kind)));
        SafetensorsFile gradients = SafetensorsFile.open(Golden.path("methods/" + kind + "/gradients.safetensors"))) {
      LossResult result = t.training.forwardBackward(GradientsTest.supervised(golden), Loss.crossEntropy()).join();

      assertThat(result.loss()).isCloseTo(golden.get("loss").asDouble(), Percentage.withPercentage(1e-2));
      assertThat(t.parameters().parameters()).hasSize(gradients.tensors().size());
      for (var p : t.parameters().parameters()) {
        float[] theirs = t.read(gradients, "base_model.model." + p.name());
        assertThat(relativeDifference(t.gradient(p), theirs)).as(p.name()).isLessThan(1e-4);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"dora", "dora-some", "bias", "embedding", "embedding-tied", "head", "head-tied", "saved-head",
    "saved-embedding", "saved-both", "saved-norms", "saved-projections"})
  void aSamplerScoresAsTheTrainingDoes(String kind) {
    JsonNode golden = Golden.json("methods/" + kind + "/golden.json");
    try (Trained t = Trained.open("models/" + golden.get("model").asString(), Lora.from(Golden.path("methods/" + kind)))) {
      LossResult result = t.training.forward(GradientsTest.supervised(golden), Loss.crossEntropy()).join();
      var sampler = t.training.sampler().join();

      for (int i = 0; i < golden.get("data").size(); i++) {
        int[] tokens = tokens(golden.get("data").get(i));
        float[] theirs = floats(golden.get("logprobs").get(i));
        assertThat(maxDifference(result.logprobs().get(i), theirs)).isLessThan(1e-4);
        assertThat(maxDifference(sampler.logprobs(List.of(tokens)).join().get(0), theirs)).isLessThan(1e-4);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"dora", "dora-some", "dora-qwen3", "bias-on-bias", "embedding", "embedding-tied", "head",
    "head-tied", "both", "saved-head", "saved-embedding", "saved-both", "saved-norms", "saved-projections", "saved-layer"})
  void aMergedModelScoresAsMergedByPeft(String kind) {
    JsonNode golden = Golden.json("methods/" + kind + "/golden.json");
    try (Trained t = Trained.open("models/" + golden.get("model").asString(), Lora.from(Golden.path("methods/" + kind)))) {
      t.training.saveMerged(directory.resolve("merged"), DType.F32).join();
    }
    LocalModel merged = EngineThread.get().call(
        () -> LocalModel.load("merged",
            ModelDirectory.files(directory.resolve("merged")), Optional.of(DType.F32), new ProgressMeter()));
    try {
      for (int i = 0; i < golden.get("data").size(); i++) {
        float[] ours = merged.sampler().logprobs(List.of(tokens(golden.get("data").get(i)))).join().get(0);
        assertThat(maxDifference(ours, floats(golden.get("logprobs").get(i)))).isLessThan(1e-4);
      }
    } finally {
      merged.close();
    }
  }

  @ParameterizedTest
  @CsvSource({"all_linear", "dora", "embed", "layers_to_transform", "lora_bias", "m2s_norm", "modules_to_save",
    "qv_lmhead_target", "tied_m2s", "tied_target_lmhead", "trainable_tokens"})
  void realAdaptersScoreAsInPeftOnTiedAndUntiedModels(String adapter) {
    for (String base : List.of("peft-untied", "peft-tied")) {
      JsonNode golden = Golden.json("methods/" + base + ".json");
      Path from = Golden.shared("reference/peft-adapters/" + adapter);
      try (Trained t = Trained.open("models/" + base, Lora.from(from))) {
        float[] ours = t.training.sampler().join().logprobs(List.of(ints(golden.get("tokens")))).join().get(0);

        assertThat(maxDifference(ours, floats(golden.get("scores").get(adapter)))).as(base).isLessThan(1e-4);
        t.training.saveAdapter(directory.resolve(base)).join();
      }
      try (Trained again = Trained.open("models/" + base, Lora.from(directory.resolve(base)))) {
        float[] ours = again.training.sampler().join().logprobs(List.of(ints(golden.get("tokens")))).join().get(0);
        assertThat(maxDifference(ours, floats(golden.get("scores").get(adapter)))).as(base).isLessThan(1e-4);
      }
    }
  }

  private static int[] tokens(JsonNode datum) {
    int[] inputs = ints(datum.get("inputs"));
    int[] targets = ints(datum.get("targets"));
    int[] tokens = java.util.Arrays.copyOf(inputs, inputs.length + 1);
    tokens[inputs.length] = targets[inputs.length - 1];
    return tokens;
  }
}
