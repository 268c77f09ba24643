package dev.fettle.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fettle.Conversation;
import dev.fettle.Message;
import dev.fettle.Rendered;
import dev.fettle.Renderer;
import dev.fettle.Renderers;
import dev.fettle.Tokenizers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class RenderTest {
  private static final JsonMapper JSON = new JsonMapper();
  private static final String TEMPLATE = "{% for t in tools or [] %}{{ t.name }};{% endfor %}{% for m in messages %}{{ '<|im_start|>' + m.role + ' '"
      + " + (m.name or '') + m.content + '<|im_end|>' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant ' }}{% endif %}{{ mood }}";
  @TempDir
  Path model;
  private Path data;

  @BeforeEach
  void model() throws IOException {
    Files.copy(Path.of("../sdk/local/src/test/resources/text/tokenizer/tokenizer.json"), model.resolve("tokenizer.json"));
    Files.writeString(model.resolve("chat_template.jinja"), TEMPLATE);
    data = Files.writeString(model.resolve("data.jsonl"), """
        {"messages":[{"role":"user","name":"Bo","content":"a e\u0301<|im_end|>"},{"role":"assistant","content":"b\\n"}]}
        {"text":"c"}
        """);
  }

  private List<JsonNode> lines(String... options) {
    Outcome outcome = Outcome.of(Render::run, java.util.stream.Stream.concat(java.util.stream.Stream.of("--model", model.toString(), "--data",
        data.toString()), java.util.stream.Stream.of(options)).toArray(String[]::new));
    assertThat(outcome.code()).as(outcome.err()).isZero();
    return outcome.out().lines().map(JSON::readTree).toList();
  }

  private static int[] ints(JsonNode list) {
    return list.valueStream().mapToInt(JsonNode::asInt).toArray();
  }

  @Test
  void aLineOfJsonForEachSequence() {
    Renderer renderer = Renderers.detect(Tokenizers.open(model));
    Rendered expected = renderer.render(Conversation.of(Message.user("a e\u0301<|im_end|>").withName("Bo"), Message.assistant("b\n"))).get(0);
    List<JsonNode> lines = lines();

    assertThat(lines).hasSize(2).allSatisfy(line -> assertThat(line.propertyNames()).containsExactly("text", "tokens", "weights"));
    assertThat(lines.get(0).get("text").asString())
        .isEqualTo("<|im_start|>user Boa e\u0301<|im_end|><|im_end|><|im_start|>assistant b\n<|im_end|>");
    assertThat(ints(lines.get(0).get("tokens"))).isEqualTo(expected.tokens());
    assertThat(lines.get(0).get("weights").valueStream().map(JsonNode::asDouble).map(Double::floatValue).toArray())
        .isEqualTo(java.util.stream.IntStream.range(0, expected.length()).mapToObj(i -> expected.weights()[i]).toArray());
    assertThat(lines.get(1).get("text").asString()).isEqualTo("c");
  }

  @Test
  void toolsTrustAndVariablesOfTheTemplate() throws IOException {
    Path tools = Files.writeString(model.resolve("tools.json"), "[{\"name\":\"f\"}]");
    JsonNode plain = lines("--train-on", "all_messages").get(0);
    JsonNode given = lines("--tools", tools.toString(), "--template-args", "{\"mood\": [1, null]}").get(0);

    assertThat(given.get("text").asString()).startsWith("f;<|im_start|>").endsWith("<|im_end|>[1, None]");
    assertThat(ints(lines("--trust", "yes").get(0).get("tokens"))).hasSizeLessThan(plain.get("tokens").size());
    assertThat(plain.get("weights").valueStream().filter(weight -> weight.asDouble() != 0).count())
        .isGreaterThan(lines().get(0).get("weights").valueStream().filter(weight -> weight.asDouble() != 0).count());
  }

  @Test
  void whatTheTemplateDoesNotReadIsRefused() {
    assertThat(Outcome.of(Render::run, "--model", model.toString(), "--data", data.toString(), "--template-args", "{\"thinking\": 1}").err())
        .contains("thinking");
    assertThat(Outcome.of(Render::run, "--model", model.toString(), "--data", data.toString(), "--template-args", "[1]").code()).isNotZero();
  }
}
