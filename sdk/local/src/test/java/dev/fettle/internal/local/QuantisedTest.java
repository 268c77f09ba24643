package dev.fettle.internal.local;

import static dev.fettle.internal.local.ModelLogitsTest.flat;
import static dev.fettle.support.Golden.maxDifference;
import static org.assertj.core.api.Assertions.assertThat;

import dev.fettle.DType;
import dev.fettle.Lora;
import dev.fettle.Loss;
import dev.fettle.Modules;
import dev.fettle.Quantisation;
import dev.fettle.internal.checkpoint.SafetensorsFile;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.local.GradientsTest.Trained;
import dev.fettle.internal.model.Layout;
import dev.fettle.internal.torch.Scope;
import dev.fettle.support.Golden;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A base model in 8 and 4 bits against the formulas in PyTorch, and what transformers and PEFT compute with the same numbers. */
@Tag("golden")
class QuantisedTest {
  private static final Path BASE = Golden.path("quantised/base");

  static Quantisation of(String form) {
    return switch (form) {
      case "int8" -> Quantisation.int8();
      case "nf4" -> Quantisation.nf4();
      case "nf4-embeddings" -> Quantisation.nf4().including(Modules.embeddings());
      case "nf4-double" -> Quantisation.nf4().doubleQuantised();
      default -> Quantisation.int4();
    };
  }

  @ParameterizedTest
  @ValueSource(strings = {"int8", "nf4", "nf4-double", "int4", "nf4-embeddings"})
  void weightsEqualTheFormula(String form) {
    try (Trained t = Trained.open(BASE, Optional.of(of(form)), Lora.rank(2));
        SafetensorsFile golden = SafetensorsFile.open(Golden.path("quantised/" + form + "/weights.safetensors"))) {
      golden.tensors().values().forEach(stored -> {
        Layout.Weight w = t.model.layout().weights().get(stored.name());
        float[] ours = EngineThread.get().call(() -> {
          try (Scope scope = new Scope()) {
            return scope.kernels().clone(t.model.weights().weight(w.block())
                .dense(scope, w.offset() / w.shape()[1], stored.shape()[0])).floats();
          }
        });
        assertThat(maxDifference(ours, t.read(golden, stored.name()))).as(stored.name()).isLessThan(1e-6);
      });
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"int8", "nf4", "nf4-double", "int4", "nf4-embeddings"})
  void logitsAndGradientsEqualAutogradOverTheSameNumbers(String form) {
    JsonNode golden = Golden.json("quantised/" + form + "/golden.json");
    JsonNode lora = Golden.json("quantised/" + form + "/lora/golden.json");
    List<float[]> logits = ModelLogitsTest.logits(BASE, DType.F32, Optional.of(of(form)), golden);
    for (int i = 0; i < 3; i++) {
      assertThat(maxDifference(logits.get(i), flat(golden.get("logits").get(i)))).isLessThan(1e-4);
    }
    try (Trained t = Trained.open(BASE, Optional.of(of(form)), Lora.from(Golden.path("quantised/" + form + "/lora")))) {
      GradientsTest.check(t, GradientsTest.supervised(lora), Loss.crossEntropy(), lora.get("loss").asDouble(),
          "quantised/" + form + "/lora/gradients.safetensors", "base_model.model.");
    }
  }

  @Test
  void gradientsOfDoraEqualAutograd() {
    JsonNode golden = Golden.json("quantised/nf4/dora/golden.json");
    try (Trained t = Trained.open(BASE, Optional.of(of("nf4")), Lora.from(Golden.path("quantised/nf4/dora")))) {
      GradientsTest.check(t, GradientsTest.supervised(golden), Loss.crossEntropy(), golden.get("loss").asDouble(),
          "quantised/nf4/dora/gradients.safetensors", "base_model.model.");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"int8", "nf4"})
  void eachLossOfTwentyLoraStepsEqualsThatOfPeft(String form) {
    try (Trained t = Trained.open(BASE, Optional.of(of(form)), Lora.from(Golden.path("quantised/" + form + "/run/adapter-start")))) {
      TrainingRunTest.follow(Golden.json("quantised/" + form + "/run/run.json"), t);
    }
  }
}
