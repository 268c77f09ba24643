package dev.fettle.internal.local;

import static dev.fettle.support.Golden.floats;
import static dev.fettle.support.Golden.ints;
import static dev.fettle.support.Golden.relativeDifference;
import static org.assertj.core.api.Assertions.assertThat;

import dev.fettle.AdamW;
import dev.fettle.Batch;
import dev.fettle.Datum;
import dev.fettle.Full;
import dev.fettle.Lora;
import dev.fettle.Loss;
import dev.fettle.OptimResult;
import dev.fettle.internal.checkpoint.SafetensorsFile;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.local.GradientsTest.Trained;
import dev.fettle.support.Golden;
import java.util.ArrayList;
import java.util.List;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Twenty steps with clipping, decay and a changing learning rate, against PEFT or transformers with torch's AdamW. */
@Tag("golden")
class TrainingRunTest {
  @ParameterizedTest
  @ValueSource(strings = {"qwen3", "llama-untied", "mistral", "qwen2"})
  void eachLossOfTwentyLoraStepsEqualsThatOfPeft(String name) {
    JsonNode run = Golden.json("run/" + name + "/run.json");
    try (Trained t = Trained.open("models/" + name, Lora.from(Golden.path("run/" + name + "/adapter-start")));
        SafetensorsFile end = SafetensorsFile.open(Golden.path("run/" + name + "/adapter-end/adapter_model.safetensors"))) {
      follow(run, t);

      for (var p : t.parameters().parameters()) {
        assertThat(relativeDifference(t.values(p), t.read(end, "base_model.model." + p.name()))).as(p.name()).isLessThan(1e-3);
      }
    }
  }

  @Test
  void eachLossOfTwentyFullStepsEqualsThatOfTransformers() {
    JsonNode run = Golden.json("run/full.json");
    try (Trained t = Trained.open("models/llama", Full.all())) {
      follow(run, t);
    }
  }

  static void follow(JsonNode run, Trained t) {
    int steps = run.get("losses").size();
    assertThat(steps).isEqualTo(20);
    for (int i = 0; i < steps; i++) {
      Batch batch = batch(run.get("batches").get(i));
      double loss = t.training.forwardBackward(batch, Loss.crossEntropy()).join().loss();
      OptimResult optim = t.training.optimStep(AdamW.learningRate(run.get("learning_rates").get(i).asDouble())
          .betas(run.get("beta1").asDouble(), run.get("beta2").asDouble()).eps(run.get("eps").asDouble())
          .weightDecay(run.get("weight_decay").asDouble()).clipNorm(run.get("clip_norm").asDouble())).join();

      assertThat(loss).as("loss of step " + i).isCloseTo(run.get("losses").get(i).asDouble(), Percentage.withPercentage(1e-2));
      assertThat(optim.gradientNorm()).as("norm of step " + i)
          .isCloseTo(run.get("gradient_norms").get(i).asDouble(), Percentage.withPercentage(1e-2));
    }
  }

  private static Batch batch(JsonNode golden) {
    List<Datum> data = new ArrayList<>();
    golden.forEach(d -> data.add(Datum.supervised(ints(d.get("inputs")), ints(d.get("targets")), floats(d.get("weights")))));
    return Batch.of(data);
  }
}
