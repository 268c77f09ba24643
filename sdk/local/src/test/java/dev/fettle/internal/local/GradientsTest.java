package dev.fettle.internal.local;

import static dev.fettle.support.Golden.floats;
import static dev.fettle.support.Golden.ints;
import static dev.fettle.support.Golden.maxDifference;
import static dev.fettle.support.Golden.relativeDifference;
import static org.assertj.core.api.Assertions.assertThat;

import dev.fettle.Batch;
import dev.fettle.DType;
import dev.fettle.Datum;
import dev.fettle.Full;
import dev.fettle.Lora;
import dev.fettle.Loss;
import dev.fettle.LossResult;
import dev.fettle.Quantisation;
import dev.fettle.Tuning;
import dev.fettle.internal.ProgressMeter;
import dev.fettle.internal.checkpoint.ModelDirectory;
import dev.fettle.internal.checkpoint.SafetensorsFile;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Scope;
import dev.fettle.support.Golden;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Losses and gradients against PyTorch autograd, through PEFT and transformers. */
@Tag("golden")
class GradientsTest {
  @ParameterizedTest
  @ValueSource(strings = {"llama", "llama-bias", "mistral", "qwen3", "qwen3-rope-yarn", "llama-rope-longrope", "qwen2"})
  void loraGradientsOfEveryTargetEqualAutograd(String name) {
    JsonNode golden = Golden.json("lora/" + name + "/golden.json");

    check("models/" + name, Lora.from(Golden.path("lora/" + name)), supervised(golden), Loss.crossEntropy(),
        golden.get("loss").asDouble(), "lora/" + name + "/gradients.safetensors", "base_model.model.");
  }

  @ParameterizedTest
  @ValueSource(strings = {"k", "up", "v-down", "mixed"})
  void loraGradientsOfSomeProjectionsOnlyEqualAutograd(String kind) {
    JsonNode golden = Golden.json("lora-subsets/" + kind + "/golden.json");

    check("models/llama", Lora.from(Golden.path("lora-subsets/" + kind)), supervised(golden), Loss.crossEntropy(),
        golden.get("loss").asDouble(), "lora-subsets/" + kind + "/gradients.safetensors", "base_model.model.");
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama", "llama-untied", "llama-bias", "qwen3", "mistral", "qwen2"})
  void fullGradientsOfEveryWeightEqualAutograd(String name) {
    JsonNode golden = Golden.json("full/" + name + "/golden.json");

    check("models/" + name, Full.all(), supervised(golden), Loss.crossEntropy(), golden.get("loss").asDouble(),
        "full/" + name + "/gradients.safetensors", "");
  }

  @ParameterizedTest
  @CsvSource({"importance_sampling", "ppo", "cispo", "dro"})
  void gradientsOfTheReinforcementLossesEqualAutograd(String kind) {
    JsonNode golden = Golden.json("lora/llama/golden-rl.json");
    Loss loss = switch (kind) {
      case "importance_sampling" -> Loss.importanceSampling();
      case "ppo" -> Loss.ppo();
      case "cispo" -> Loss.cispo();
      default -> Loss.dro(0.05);
    };

    check("models/llama", Lora.from(Golden.path("lora/llama")), reinforcement(golden), loss,
        golden.get("losses").get(kind).get("loss").asDouble(), "lora/llama/gradients-" + kind + ".safetensors",
        "base_model.model.");
  }

  @Test
  void forwardGivesTheLogprobsOfAllPositions() {
    JsonNode golden = Golden.json("lora/qwen3/golden.json");
    try (Trained t = Trained.open("models/qwen3", Lora.from(Golden.path("lora/qwen3")))) {
      LossResult result = t.training.forward(supervised(golden), Loss.crossEntropy()).join();

      for (int i = 0; i < result.logprobs().size(); i++) {
        assertThat(maxDifference(result.logprobs().get(i), floats(golden.get("logprobs").get(i)))).isLessThan(1e-4);
      }
      assertThat(result.loss()).isCloseTo(golden.get("loss").asDouble(), Percentage.withPercentage(1e-3));
    }
  }

  static void check(String model, Tuning tuning, Batch batch, Loss loss, double expected, String gradients,
      String prefix) {
    try (Trained t = Trained.open(model, tuning)) {
      check(t, batch, loss, expected, gradients, prefix);
    }
  }

  static void check(Trained t, Batch batch, Loss loss, double expected, String gradients, String prefix) {
    try (SafetensorsFile golden = SafetensorsFile.open(Golden.path(gradients))) {
      LossResult result = t.training.forwardBackward(batch, loss).join();

      assertThat(result.loss()).isCloseTo(expected, Percentage.withPercentage(1e-2));
      assertThat(t.parameters().parameters()).hasSize(golden.tensors().size());
      for (var p : t.parameters().parameters()) {
        float[] ours = t.gradient(p);
        float[] theirs = t.read(golden, prefix + p.name());
        assertThat(relativeDifference(ours, theirs)).as(p.name()).isLessThan(1e-4);
      }
    }
  }

  static Batch supervised(JsonNode golden) {
    List<Datum> data = new ArrayList<>();
    golden.get("data").forEach(d ->
        data.add(Datum.supervised(ints(d.get("inputs")), ints(d.get("targets")), floats(d.get("weights")))));
    return Batch.of(data);
  }

  private static Batch reinforcement(JsonNode golden) {
    List<Datum> data = new ArrayList<>();
    golden.get("data").forEach(d -> data.add(Datum.reinforcement(ints(d.get("inputs")), ints(d.get("targets")),
        floats(d.get("logprobs")), floats(d.get("advantages")))));
    return Batch.of(data);
  }

  /** A training over a golden model, with a look inside. */
  static final class Trained implements AutoCloseable {
    final LocalModel model;
    final LocalTraining training;

    private Trained(LocalModel model, LocalTraining training) {
      this.model = model;
      this.training = training;
    }

    static Trained open(String model, Tuning tuning) {
      return open(Golden.path(model), tuning);
    }

    static Trained open(Path directory, Tuning tuning) {
      return open(directory, Optional.empty(), tuning);
    }

    static Trained open(Path directory, Optional<Quantisation> quantisation, Tuning tuning) {
      LocalModel loaded = EngineThread.get().call(
          () -> LocalModel.load(directory.toString(),
              ModelDirectory.files(directory), Optional.of(DType.F32), quantisation, new ProgressMeter()));
      return new Trained(loaded, (LocalTraining) loaded.tune(tuning));
    }

    /** A training of what no {@link Tuning} says. */
    static Trained open(String model, Function<LocalModel, TrainableModel> tuned) {
      Path directory = Golden.path(model);
      return EngineThread.get().call(() -> {
        LocalModel loaded = LocalModel.load(directory.toString(),
            ModelDirectory.files(directory), Optional.of(DType.F32), new ProgressMeter());
        return new Trained(loaded, new LocalTraining(loaded, tuned.apply(loaded)));
      });
    }

    ParameterVector parameters() {
      return training.tuned().parameters();
    }

    float[] gradient(ParameterVector.Parameter p) {
      return EngineThread.get().call(() -> {
        try (Scope scope = new Scope()) {
          return scope.kernels().clone(training.tuned().gradients().of(scope, p)).floats();
        }
      });
    }

    float[] values(ParameterVector.Parameter p) {
      return EngineThread.get().call(() -> {
        try (Scope scope = new Scope()) {
          return scope.kernels().clone(scope.kernels().viewSlice(parameters().values(), p.offset(), p.shape())).floats();
        }
      });
    }

    float[] read(SafetensorsFile file, String name) {
      return EngineThread.get().call(() -> {
        try (Scope scope = new Scope()) {
          var stored = file.tensors().get(name);
          assertThat(stored).as(name).isNotNull();
          var into = scope.zeros(NumberType.F32, stored.elements());
          WeightFiles.read(file::bytes, stored, into, 0);
          return into.floats();
        }
      });
    }

    @Override
    public void close() {
      model.close();
    }
  }
}
