package dev.fettle.internal.local;

import static dev.fettle.support.Golden.floats;
import static dev.fettle.support.Golden.maxDifference;
import static dev.fettle.support.Golden.relativeDifference;
import static org.assertj.core.api.Assertions.assertThat;

import dev.fettle.Batch;
import dev.fettle.Datum;
import dev.fettle.Lora;
import dev.fettle.Loss;
import dev.fettle.LossResult;
import dev.fettle.Sample;
import dev.fettle.SamplingParams;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.json.JsonPrinter;
import dev.fettle.internal.json.ObjectNode;
import dev.fettle.internal.local.GradientsTest.Trained;
import dev.fettle.support.Golden;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Sequences longer than an attention tile, batches larger than a micro-batch; against PyTorch, and parts against wholes. */
@Tag("golden")
class LongSequencesTest {
  @TempDir Path directory;

  @ParameterizedTest
  @ValueSource(strings = {"llama", "mistral-window", "mistral-wide-window", "qwen3", "qwen3.5"})
  void lossLogprobsAndGradientsBeyondATileEqualAutograd(String name) throws IOException {
    JsonNode golden = Golden.json("lora-long/" + name + ".json");
    try (Trained t = open(golden)) {
      LossResult result = t.training.forwardBackward(GradientsTest.supervised(golden), Loss.crossEntropy()).join();
      LossResult forward = t.training.forward(GradientsTest.supervised(golden), Loss.crossEntropy()).join();

      assertThat(result.loss()).isCloseTo(golden.get("loss").asDouble(), Percentage.withPercentage(1e-2));
      for (int i = 0; i < forward.logprobs().size(); i++) {
        float[] some = every(golden.get("stride").asInt(), forward.logprobs().get(i));
        assertThat(maxDifference(some, floats(golden.get("logprobs").get(i)))).isLessThan(1e-4);
      }
      assertThat(t.parameters().parameters()).hasSize(golden.get("gradients").size());
      for (var p : t.parameters().parameters()) {
        JsonNode expected = golden.get("gradients").get("base_model.model." + p.name());
        double[] ours = projections(t.gradient(p));
        for (int i = 0; i < 3; i++) {
          assertThat(Math.abs(ours[i] - expected.get(i).asDouble()) / expected.get(0).asDouble())
              .as(p.name() + " " + i).isLessThan(1e-4);
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama", "mistral-window", "qwen3.5"})
  void aBatchLargerThanAMicroBatchEqualsItsDataOneByOne(String name) throws IOException {
    try (Trained whole = open(Golden.json("lora-long/" + name + ".json"));
        Trained parts = open(Golden.json("lora-long/" + name + ".json"))) {
      SplittableRandom random = new SplittableRandom(1);
      List<Datum> data = new ArrayList<>();
      for (int length : new int[] {513, 2, 700, 700, 2, 900, 3, 257, 1000, 800, 40}) {
        data.add(Datum.of(random.ints(length, 3, 60).toArray()));
      }
      data.add(data.get(1));
      assertThat(Batch.of(data).tokens()).isGreaterThan(TokenPass.MICRO_BATCH);

      double loss = whole.training.forwardBackward(Batch.of(data), Loss.crossEntropy()).join().loss();
      double sum = 0;
      for (Datum datum : data) {
        sum += parts.training.forwardBackward(Batch.of(datum), Loss.crossEntropy()).join().loss();
      }

      assertThat(sum).isCloseTo(loss, Percentage.withPercentage(1e-4));
      for (var p : whole.parameters().parameters()) {
        assertThat(relativeDifference(parts.gradient(p), whole.gradient(p))).as(p.name()).isLessThan(2e-6);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama", "mistral-window", "mistral-wide-window", "qwen3", "qwen3.5"})
  void decodingBeyondATileAndAWindowGivesTheLogprobsOfForward(String name) throws IOException {
    JsonNode golden = Golden.json("lora-long/" + name + ".json");
    try (Trained t = open(golden)) {
      List<int[]> prompts = List.of(Golden.ints(golden.get("data").get(0).get("inputs")), new int[] {7},
          Arrays.copyOf(Golden.ints(golden.get("data").get(1).get("inputs")), 90));
      var sampler = t.training.sampler().join();

      List<List<Sample>> samples = sampler.sample(prompts, SamplingParams.standard().maxTokens(330).ignoringEos()).join();

      for (int i = 0; i < prompts.size(); i++) {
        Sample sample = samples.get(i).get(0);
        int[] all = Arrays.copyOf(prompts.get(i), prompts.get(i).length + 330);
        System.arraycopy(sample.tokens(), 0, all, prompts.get(i).length, 330);
        float[] forward = sampler.logprobs(List.of(all)).join().get(0);
        assertThat(maxDifference(sample.logprobs(), Arrays.copyOfRange(forward, prompts.get(i).length - 1, forward.length)))
            .as("prompt " + i).isLessThan(1e-4);
      }
    }
  }

  private Trained open(JsonNode golden) throws IOException {
    Path source = Golden.path("models/" + golden.get("model").asString());
    ObjectNode config = (ObjectNode) Golden.json(source.resolve("config.json"));
    golden.get("config").properties().forEach((Map.Entry<String, JsonNode> e) -> config.set(e.getKey(), e.getValue()));
    Path model = Files.createTempDirectory(directory, "model");
    Files.writeString(model.resolve("config.json"), JsonPrinter.line(config));
    Files.copy(source.resolve("model.safetensors"), model.resolve("model.safetensors"));
    return Trained.open(model, Lora.from(Golden.path("lora/" + golden.get("adapter").asString())));
  }

  private static float[] every(int stride, float[] values) {
    float[] out = new float[(values.length + stride - 1) / stride];
    for (int i = 0; i < out.length; i++) {
      out[i] = values[i * stride];
    }
    return out;
  }

  private static double[] projections(float[] g) {
    double[] out = new double[3];
    for (int i = 0; i < g.length; i++) {
      out[0] += (double) g[i] * g[i];
      out[1] += g[i] * Math.cos(i);
      out[2] += g[i] * Math.sin(2.0 * i);
    }
    out[0] = Math.sqrt(out[0]);
    return out;
  }
}
