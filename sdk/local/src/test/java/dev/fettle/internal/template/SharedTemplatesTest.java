package dev.fettle.internal.template;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fettle.internal.json.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Real templates write what Jinja2 in transformers' environment wrote, error for error. */
class SharedTemplatesTest {
  @TestFactory
  Stream<DynamicTest> expectedRenderings() {
    JsonNode expected = TemplateFixtures.json(TemplateFixtures.shared("cases/templates/expected.json"));
    return expected.get("renderings").valueStream().map(rendering -> DynamicTest.dynamicTest(
        rendering.get("template").asString() + ", conversation " + rendering.get("conversation") + ", "
            + rendering.get("add_generation_prompt"), () -> check(expected, rendering)));
  }

  private static void check(JsonNode expected, JsonNode rendering) throws IOException {
    Path file = TemplateFixtures.shared(rendering.get("template").asString());
    Map<String, Object> variables = TemplateFixtures.variables(expected.get("conversations").get(rendering.get("conversation").asInt()));
    variables.put("add_generation_prompt", rendering.get("add_generation_prompt").asBoolean());
    variables.put("bos_token", Text.of(expected.get("bos_token").asString()));
    variables.put("eos_token", Text.of(expected.get("eos_token").asString()));
    JsonNode text = rendering.get("expected");
    assertThat(TemplateFixtures.rendered(Files.readString(file), variables)).isEqualTo(text.isNull() ? null : text.asString());
  }
}
