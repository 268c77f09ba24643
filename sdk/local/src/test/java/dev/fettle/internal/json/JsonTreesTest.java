package dev.fettle.internal.json;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.json.JsonMapper;

/** Trees are compared with those of Jackson's databind, which the library itself does without. */
class JsonTreesTest {
  private static final JsonMapper JACKSON = JsonMapper.shared();

  private static Stream<String> texts() {
    return Stream.of("\"x\"", "\"\"", "1", "-0", "1.5", "2.0", "1e2", "99999999999", "-9223372036854775808", "9223372036854775808",
        "123456789012345678901234567890", "1e400", "5e-324", "0.1", "1" + "0".repeat(400), "true", "false", "null", "{}", "[]",
        "{\"a\": [1, {\"b\": null}], \"a\": 2, \"\\u00e9\\u2028\\ud83d\\ude00\\u0000\\\"\": \"/\\\\\\n\\u007f\"}",
        "[[], [[1.0, -0.0]], \"\\ud800\"]", "  7  ");
  }

  private static String answer(Function<String, Object> question, String text) {
    try {
      return String.valueOf(question.apply(text));
    } catch (RuntimeException e) {
      return "an error";
    }
  }

  private static JsonNode ours(String text) {
    return JsonReader.STANDARD.read(text);
  }

  private static tools.jackson.databind.JsonNode theirs(String text) {
    return JACKSON.readTree(text);
  }

  @ParameterizedTest
  @MethodSource("texts")
  void aTreeAnswersAsJacksonsDoes(String text) {
    Map<String, List<Function<String, Object>>> questions = new LinkedHashMap<>();
    questions.put("text", List.of(t -> ours(t).toString(), t -> theirs(t).toString()));
    questions.put("indented", List.of(t -> JsonPrinter.indented(ours(t)),
        t -> JACKSON.writerWithDefaultPrettyPrinter().writeValueAsString(theirs(t)).replace("\r\n", "\n")));
    questions.put("bytes", List.of(t -> ours(t).equals(JsonReader.STANDARD.read(JsonPrinter.utf8(ours(t)))),
        t -> theirs(t).equals(JACKSON.readTree(JACKSON.writeValueAsBytes(theirs(t))))));
    questions.put("size", List.of(t -> ours(t).size() + " " + ours(t).isEmpty(), t -> theirs(t).size() + " " + theirs(t).isEmpty()));
    questions.put("names", List.of(t -> List.copyOf(ours(t).propertyNames()), t -> List.copyOf(theirs(t).propertyNames())));
    questions.put("kind", List.of(t -> List.of(ours(t).isString(), ours(t).isNumber(), ours(t).isIntegralNumber(),
            ours(t).isFloatingPointNumber(), ours(t).isBoolean(), ours(t).isNull(), ours(t).isContainer(), ours(t).isMissingNode()),
        t -> List.of(theirs(t).isString(), theirs(t).isNumber(), theirs(t).isIntegralNumber(),
            theirs(t).isFloatingPointNumber(), theirs(t).isBoolean(), theirs(t).isNull(), theirs(t).isContainer(),
            theirs(t).isMissingNode())));
    questions.put("converts", List.of(t -> ours(t).canConvertToInt() + " " + ours(t).canConvertToLong(),
        t -> theirs(t).canConvertToInt() + " " + theirs(t).canConvertToLong()));
    questions.put("int", List.of(t -> ours(t).intValue(), t -> theirs(t).intValue()));
    questions.put("long", List.of(t -> ours(t).longValue(), t -> theirs(t).longValue()));
    questions.put("double", List.of(t -> ours(t).doubleValue(), t -> theirs(t).doubleValue()));
    questions.put("double or", List.of(t -> ours(t).asDouble(-1), t -> theirs(t).asDouble(-1)));
    questions.put("boolean", List.of(t -> ours(t).booleanValue(), t -> theirs(t).booleanValue()));
    questions.put("large", List.of(t -> ours(t).bigIntegerValue(), t -> theirs(t).bigIntegerValue()));
    questions.put("as text", List.of(t -> ours(t).asString(), t -> theirs(t).asString()));
    questions.put("as text or", List.of(t -> ours(t).asString("or"), t -> theirs(t).asString("or")));
    questions.put("in Java", List.of(t -> ours("[" + t + "]").asJava(), t -> JACKSON.convertValue(theirs("[" + t + "]"), List.class)));
    List<String> different = new ArrayList<>();
    questions.forEach((name, both) -> {
      String own = answer(both.get(0), text);
      String other = answer(both.get(1), text);
      if (!own.equals(other)) {
        different.add(name + ": " + own + ", Jackson " + other);
      }
    });
    assertThat(different).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"{", "[1,]", "{\"a\" 1}", "nul", "01", "1 2", "{} x", "'a'", "\"\n\"", "NaN", "[1}"})
  void whatIsNoJsonIsAnErrorWithItsPlace(String text) {
    assertThatThrownBy(() -> theirs(text)).isInstanceOf(tools.jackson.core.JacksonException.class);
    assertThatThrownBy(() -> ours("\n\n" + text)).isInstanceOfSatisfying(JsonException.class, e -> {
      assertThat(e.line()).isGreaterThanOrEqualTo(3);
      assertThat(e.column()).isPositive();
    });
    assertThatThrownBy(() -> JsonReader.STANDARD.read(text.getBytes(StandardCharsets.UTF_8))).isInstanceOf(JsonException.class);
  }

  @Test
  void readersHoldTheirBounds() {
    String twice = "{\"a\": 1, \"a\": 2}";
    assertThat(ours(twice)).isEqualTo(ours("{\"a\": 2}"));
    JsonReader narrow = JsonReader.STANDARD.within(bounds -> bounds.maxNestingDepth(3).maxStringLength(4)).withoutDuplicates();
    assertThatThrownBy(() -> narrow.read(twice)).isInstanceOf(JsonException.class).hasMessageContaining("Duplicate");
    assertThatThrownBy(() -> narrow.read("[[[[1]]]]")).isInstanceOf(JsonException.class).hasMessageContaining("depth");
    assertThatThrownBy(() -> narrow.read("\"12345\"")).isInstanceOf(JsonException.class).hasMessageContaining("length");
    assertThatThrownBy(() -> narrow.withNaN().read(twice)).isInstanceOf(JsonException.class);
    assertThat(JsonReader.STANDARD.withNaN().read("[NaN, -Infinity]").get(0).doubleValue()).isNaN();
    assertThatThrownBy(() -> ours("[".repeat(100_000))).isInstanceOf(JsonException.class);
    assertThat(ours("").isMissingNode()).isTrue();
  }
}
