package dev.fettle.internal.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fettle.InvalidInputException;
import dev.fettle.UnsupportedModelException;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.support.Golden;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Against Python's own verdicts. */
class PythonPatternTest {
  @TestFactory
  List<DynamicTest> patterns_match_what_they_match_in_python() {
    JsonNode golden = Golden.json("python-patterns.json");
    List<DynamicTest> tests = new ArrayList<>();
    for (JsonNode each : golden.get("cases").values()) {
      tests.add(DynamicTest.dynamicTest(each.get("pattern").asString(), () -> check(golden.get("texts"), each)));
    }
    return tests;
  }

  private static void check(JsonNode texts, JsonNode golden) {
    String pattern = golden.get("pattern").asString();
    if (golden.get("matches").isNull()) {
      assertThatThrownBy(() -> PythonPattern.compile(pattern)).isInstanceOf(InvalidInputException.class)
          .hasMessageContaining(Quote.line(pattern));
      return;
    }
    for (int i = 0; i < texts.size(); i++) {
      Matcher matcher = PythonPattern.compile(pattern).matcher(texts.get(i).asString());
      JsonNode theirs = golden.get("matches").get(i);
      assertThat(matcher.lookingAt()).as("match " + texts.get(i)).isEqualTo(theirs.get(0).asBoolean());
      assertThat(matcher.matches()).as("fullmatch " + texts.get(i)).isEqualTo(theirs.get(1).asBoolean());
    }
  }

  @Test
  void what_java_has_no_words_for_is_rejected() {
    for (String pattern : List.of("(a)?(?(1)b|c)", "(?a:\\w)")) {
      assertThatThrownBy(() -> PythonPattern.compile(pattern)).isInstanceOf(UnsupportedModelException.class)
          .hasMessageContaining(pattern);
    }
  }
}
