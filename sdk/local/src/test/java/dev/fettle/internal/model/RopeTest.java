package dev.fettle.internal.model;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fettle.internal.checkpoint.Fixtures;
import dev.fettle.internal.checkpoint.JsonFields;
import dev.fettle.internal.checkpoint.StrictJson;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.json.ObjectNode;
import dev.fettle.support.Golden;
import java.util.ArrayList;
import java.util.List;
import org.assertj.core.data.Offset;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

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

  /** transformers' Phi3Config has 4,096 where the file says nothing outside of the settings, whatever they say within. */
  @Test
  void aPhi3ReadsItsOriginalContextOutsideOfTheSettings() {
    ObjectNode config = (ObjectNode) Golden.json("families/phi3-longrope/config.json");
    Rope said = rope(config.put("max_position_embeddings", 131_072).put("original_max_position_embeddings", 4096));
    config.remove("original_max_position_embeddings");
    assertThat(rope(config)).isEqualTo(said);
    for (String settings : List.of("rope_scaling", "rope_parameters")) {
      if (config.get(settings) instanceof ObjectNode within) {
        within.put("original_max_position_embeddings", 64);
      }
    }
    assertThat(rope(config)).isEqualTo(said);
  }

  private static Rope rope(ObjectNode config) {
    return ModelConfig.parse(config.toString(), "config.json").layers().get(0).rope().get();
  }

  private static void check(JsonNode golden) {
    int headDim = golden.get("head_dim").intValue();
    String json = ModelConfigTest.LLAMA.replace("}",
        ",'max_position_embeddings':131072,'head_dim':" + headDim + ",'rope_parameters':");
    String config = json.replace('\'', '"') + golden.get("rope_parameters") + "}";
    Rope rope = ModelConfig.parse(config, "config.json").layers().get(0).rope().get();
    assertThat(rope.dim()).isEqualTo(headDim);
    check(rope.frequencies(1), golden.get("inv_freq"));
  }

  @TestFactory
  List<DynamicTest> frequencies_at_every_length_and_attention_factors_equal_those_of_transformers() {
    JsonNode golden = Golden.json("ropes.json");
    List<DynamicTest> tests = new ArrayList<>();
    for (var entry : golden.properties()) {
      JsonNode c = entry.getValue();
      tests.add(DynamicTest.dynamicTest(entry.getKey() + " " + c.get("config"), () -> checkLengths(c)));
    }
    assertThat(tests).hasSizeGreaterThan(40);
    return tests;
  }

  private static void checkLengths(JsonNode golden) {
    JsonFields config = new JsonFields(golden.get("config"), "config.json");
    int positions = config.integer("max_position_embeddings", 1, Integer.MAX_VALUE);
    RopeReader reader = new RopeReader(config, positions, golden.get("head_dim").intValue());
    Rope rope = (golden.get("partial").booleanValue() ? reader.partial() : reader).read();
    int[] lengths = Golden.ints(golden.get("lengths"));
    for (int i = 0; i < lengths.length; i++) {
      JsonNode expected = golden.get("inv_freq").get(i);
      assertThat(rope.dim()).isEqualTo(2 * expected.size());
      check(rope.frequencies(lengths[i]), expected);
      check(rope.frequencies(rope.alike(lengths[i])), expected);
      assertThat(rope.attentionFactor()).isCloseTo(golden.get("attention_factor").get(i).doubleValue(), Offset.offset(1e-12));
    }
    assertThat(rope.dependsOnLength()).isEqualTo(lengths.length > 1);
  }

  private static void check(float[] frequencies, JsonNode expected) {
    assertThat(frequencies).hasSize(expected.size());
    for (int i = 0; i < frequencies.length; i++) {
      assertThat((double) frequencies[i]).as("pair %d", i)
          .isCloseTo(expected.get(i).doubleValue(), Percentage.withPercentage(5e-5));
    }
  }
}
