package dev.fettle.internal.json;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RecordsTest {
  /** One component of each kind. */
  record Message(String modelId, Integer topK, long count, Boolean isLora, Double rate, float scale, int[] tokens,
      List<List<Inner>> inner, Map<String, Float> metrics, Map<String, Object> any, JsonNode raw,
      @Property(unsigned = true) Long seed, @Property(always = true) String detail, @Property(name = "public") Boolean shared) {}

  record Inner(double x) {}

  private static Message read(Records records, String json) {
    return records.read(JsonReader.STANDARD.read(json), Message.class);
  }

  @Test
  void aMessageTravelsBothWays() {
    Map<String, Float> metrics = new LinkedHashMap<>();
    metrics.put("b", Float.NEGATIVE_INFINITY);
    metrics.put("a", 0.1f);
    Message message = new Message("m", 3, 1L << 40, true, 1e-4, 0.25f, new int[] {1, 2}, List.of(List.of(new Inner(0.5)), List.of()),
        metrics, Map.of("x", List.of(1, "y")), JsonNode.of("r"), -1L, null, false);
    String json = JsonPrinter.line(message);
    assertThat(json).isEqualTo("{\"model_id\":\"m\",\"top_k\":3,\"count\":1099511627776,\"is_lora\":true,\"rate\":1.0E-4,\"scale\":0.25,"
        + "\"tokens\":[1,2],\"inner\":[[{\"x\":0.5}],[]],\"metrics\":{\"b\":\"-Infinity\",\"a\":0.1},\"any\":{\"x\":[1,\"y\"]},\"raw\":\"r\","
        + "\"seed\":-1,\"detail\":null,\"public\":false}");
    for (Records records : List.of(Records.STRICT, Records.LENIENT)) {
      assertThat(read(records, json)).usingRecursiveComparison().isEqualTo(message);
    }
  }

  @Test
  void whatIsAbsentIsNullOrZeroAndWhatIsNotKnownIsIgnored() {
    Message message = read(Records.STRICT, "{\"new\": {\"a\": [1]}, \"modelId\": \"camel\", \"top_k\": null}");
    assertThat(message).usingRecursiveComparison()
        .isEqualTo(new Message(null, null, 0, null, null, 0, null, null, null, null, null, null, null, null));
    assertThat(JsonPrinter.line(message)).isEqualTo("{\"count\":0,\"scale\":0.0,\"detail\":null}");
  }

  @Test
  void aSeedOf64BitsMayHaveASignOrNone() {
    assertThat(read(Records.STRICT, "{\"seed\": 18446744073709551615}").seed()).isEqualTo(-1);
    assertThat(read(Records.STRICT, "{\"seed\": -9223372036854775808}").seed()).isEqualTo(Long.MIN_VALUE);
    for (String seed : List.of("18446744073709551616", "-9223372036854775809", "1.5", "\"7\"")) {
      assertThatThrownBy(() -> read(Records.LENIENT, "{\"seed\": " + seed + "}")).isInstanceOf(JsonException.class)
          .hasMessageContaining("seed is " + seed);
    }
  }

  @ParameterizedTest
  @CsvSource(quoteCharacter = '`', value = {"model_id, 7, 7", "model_id, true, true", "top_k, `\"12\"`, 12", "top_k, 12.0, 12",
      "count, `\"1\"`, 1", "is_lora, `\"true\"`, true", "rate, `\"0.5\"`, 0.5"})
  void onlyAnswersOfServersAreMadeToFit(String name, String value, String meant) {
    String json = "{\"" + name + "\": " + value + "}";
    assertThatThrownBy(() -> read(Records.STRICT, json)).isInstanceOf(JsonException.class).hasMessageContaining(name + " is ");
    assertThat(JsonReader.STANDARD.read(JsonPrinter.line(read(Records.LENIENT, json))).get(name).asString()).isEqualTo(meant);
  }

  @ParameterizedTest
  @CsvSource(quoteCharacter = '`', value = {"model_id, {}", "model_id, `[\"a\"]`", "top_k, 1.5", "top_k, 3000000000", "top_k, `\"x\"`",
      "top_k, `\"\"`", "count, null", "count, 1e30", "is_lora, 1", "rate, true", "scale, `\"inf\"`", "tokens, 1", "tokens, [null]",
      "tokens, `[1, \"a\"]`", "inner, [1]", "inner, [[1]]", "metrics, []", "any, 1"})
  void whatDoesNotFitIsAnErrorThatNamesIt(String name, String value) {
    for (Records records : Arrays.asList(Records.STRICT, Records.LENIENT)) {
      assertThatThrownBy(() -> read(records, "{\"" + name + "\": " + value + "}")).isInstanceOf(JsonException.class)
          .hasMessageContaining(name + " is ").hasMessageContaining("give ");
    }
  }

  @Test
  void whatIsNoObjectIsAnError() {
    assertThatThrownBy(() -> read(Records.STRICT, "[1]")).isInstanceOf(JsonException.class).hasMessage("it is [1]: give an object");
    assertThat(read(Records.STRICT, "null")).isNull();
    assertThatThrownBy(() -> JsonPrinter.line(Map.of("a", new StringBuilder()))).isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("java.lang.StringBuilder");
  }
}
