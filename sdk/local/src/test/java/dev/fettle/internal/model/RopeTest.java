package dev.fettle.internal.model;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fettle.internal.checkpoint.Fixtures;
import dev.fettle.internal.checkpoint.StrictJson;
import java.util.ArrayList;
import java.util.List;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import tools.jackson.databind.JsonNode;

class RopeTest {
  @TestFactory
  List<DynamicTest> inverse_frequencies_equal_those_of_transformers() {
    JsonNode golden = StrictJson.read(Fixtures.file("rope.json"));
    List<DynamicTest> tests = new ArrayList<>();
    for (var entry : golden.properties()) {
      tests.add(DynamicTest.dynamicTest(entry.getKey(), () -> check(entry.getValue())));
    }
    assertThat(tests).hasSize(12);
    return tests;
  }

  private static void check(JsonNode golden) {
    int headDim = golden.get("head_dim").intValue();
    String json = ModelConfigTest.LLAMA.replace("}", ",'max_position_embeddings':131072,'rope_parameters':");
    String config = json.replace('\'', '"') + golden.get("rope_parameters") + "}";
    double[] frequencies = ModelConfig.parse(config, "config.json").layers().get(0).rope().get().inverseFrequencies(headDim);
    assertThat(frequencies).hasSize(headDim / 2).hasSize(golden.get("inv_freq").size());
    for (int i = 0; i < frequencies.length; i++) {
      double expected = golden.get("inv_freq").get(i).doubleValue();
      assertThat(frequencies[i]).as("pair %d", i).isCloseTo(expected, Percentage.withPercentage(5e-5));
    }
  }
}
