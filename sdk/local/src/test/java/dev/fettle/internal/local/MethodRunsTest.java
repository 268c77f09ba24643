package dev.fettle.internal.local;

import static dev.fettle.support.Golden.maxDifference;
import static dev.fettle.support.Golden.relativeDifference;
import static org.assertj.core.api.Assertions.assertThat;

import dev.fettle.Full;
import dev.fettle.Lora;
import dev.fettle.Modules;
import dev.fettle.Tuning;
import dev.fettle.internal.checkpoint.SafetensorsFile;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.local.GradientsTest.Trained;
import dev.fettle.support.Golden;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Twenty steps of each method against PEFT or transformers with torch's AdamW, as {@link TrainingRunTest} takes them. */
@Tag("golden")
class MethodRunsTest {
  private static Tuning tuning(String run) {
    Lora lora = Lora.rank(8).alpha(16);
    return switch (run) {
      case "untied" -> Full.of(Modules.lmHead());
      case "hybrid" -> lora.plus(Full.of(Modules.lastLayers(1), Modules.lmHead(), Modules.named("model.norm"))
          .learningRate(2e-3).weightDecay(0.1));
      case "plus" -> lora.learningRateRatio(4);
      case "dora" -> lora.dora();
      default -> lora.pissa();
    };
  }

  @ParameterizedTest
  @ValueSource(strings = {"untied", "hybrid", "plus", "dora"})
  void eachLossOfTwentyStepsEqualsThatOfPytorch(String run) {
    JsonNode golden = Golden.json("methods/run/" + run + ".json");
    try (Trained t = Trained.open("models/" + golden.get("model").asString(), tuning(run))) {
      if (!t.training.tuned().adapters().parameters().isEmpty()) {
        begin(t, run);
      }

      TrainingRunTest.follow(golden, t);
    }
  }

  /** Two parts with a learning rate factor and a decay of their own. */
  @Test
  void partsAreSteppedByTheirOwnSettings() {
    JsonNode golden = Golden.json("methods/run/partial.json");
    Full norms = Full.of(Modules.norms().within(Modules.layers(0, 0)), Modules.named("model.norm"))
        .learningRateFactor(4).weightDecay(0);
    Full rest = Full.of(Modules.lastLayers(1), Modules.lmHead());
    try (Trained t = Trained.open("models/llama-untied", model -> TrainableModels.build(rest, model, LoraTargets.none(model.config()),
        FullTargets.of(List.of(rest, norms), model.layout()), new BaseWeightOverrides()))) {
      TrainingRunTest.follow(golden, t);
    }
  }

  /** Singular vectors have no sign, so A and B may come out negated together: losses do not depend on it. */
  @Test
  void pissaStartsWherePeftStartsAndRunsAsItDoes() {
    JsonNode golden = Golden.json("methods/run/pissa.json");
    try (Trained t = Trained.open("models/llama-untied", tuning("pissa"));
        SafetensorsFile start = SafetensorsFile.open(Golden.path("methods/run/pissa-start.safetensors"))) {
      for (var p : t.parameters().parameters()) {
        float[] ours = t.values(p);
        float[] theirs = t.read(start, "base_model.model." + p.name());
        for (int i = 0; i < ours.length; i++) {
          ours[i] = Math.abs(ours[i]);
          theirs[i] = Math.abs(theirs[i]);
        }
        assertThat(relativeDifference(ours, theirs)).as(p.name()).isLessThan(1e-4);
      }

      TrainingRunTest.follow(golden, t);
    }
  }

  @Test
  void aStepOfDoraStartsFromTheModelAsItIs() {
    int[] tokens = {5, 6, 7, 8, 9, 10, 11};
    try (Trained plain = Trained.open("models/llama", Lora.rank(4)); Trained dora = Trained.open("models/llama", Lora.rank(4).dora());
        Trained pissa = Trained.open("models/llama", Lora.rank(4).pissa())) {
      float[] base = plain.training.sampler().join().logprobs(List.of(tokens)).join().get(0);
      assertThat(maxDifference(dora.training.sampler().join().logprobs(List.of(tokens)).join().get(0), base)).isLessThan(1e-5);
      assertThat(maxDifference(pissa.training.sampler().join().logprobs(List.of(tokens)).join().get(0), base)).isLessThan(1e-4);
    }
  }

  private static void begin(Trained t, String run) {
    try (SafetensorsFile start = SafetensorsFile.open(Golden.path("methods/run/" + run + "-start.safetensors"))) {
      assertThat(t.training.tuned().adapters().parameters()).hasSize(start.tensors().size());
      EngineThread.get().run(() -> {
        for (var p : t.training.tuned().adapters().parameters()) {
          var stored = start.tensors().get("base_model.model." + p.name());
          WeightFiles.read(start::bytes, stored, t.parameters().values(), p.offset());
        }
        t.training.tuned().refresh();
      });
    }
  }
}
