package dev.fettle.internal.text;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fettle.Conversation;
import dev.fettle.Rendered;
import dev.fettle.Renderer;
import dev.fettle.Renderers;
import dev.fettle.Tokenizers;
import dev.fettle.TrainOn;
import dev.fettle.internal.json.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Models with their real templates: the ids are those of transformers' {@code apply_chat_template}, masks those of the families. */
class TemplateRenderingTest {
  private static final Map<String, List<String>> TEMPLATES = Map.of(
      "qwen2.5", List.of("trl/qwen2_5.jinja", "llama.cpp/Qwen-Qwen2.5-7B-Instruct.jinja"), "qwen3", List.of("trl/qwen3.jinja"),
      "qwen3-instruct", List.of("trl/qwen3_instruct_2507.jinja"), "llama3", List.of("trl/llama3.jinja"),
      "llama3.1", List.of("trl/llama3_1.jinja", "llama.cpp/meta-llama-Llama-3.3-70B-Instruct.jinja"),
      "mistral", List.of("llama.cpp/mistralai-Mistral-Nemo-Instruct-2407.jinja"));

  @TempDir
  static Path directory;

  static Renderer renderer(String family, String template) throws IOException {
    Path model = directory.resolve(template.replace('/', '-'));
    TextFixtures.smallFor(family, model);
    Files.copy(TextFixtures.shared("data/chat-templates/" + template), model.resolve(family).resolve("chat_template.jinja"),
        java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    return Renderers.detect(Tokenizers.open(model.resolve(family)));
  }

  @TestFactory
  Stream<DynamicTest> idsOfTransformers() {
    JsonNode golden = TextFixtures.json("rendered.json");
    JsonNode conversations = TextFixtures.json("cases.json");
    return TEMPLATES.entrySet().stream().flatMap(entry -> entry.getValue().stream().flatMap(template ->
        golden.get(entry.getKey()).properties().stream().filter(each -> each.getValue().get("ids").isArray()).map(each ->
            DynamicTest.dynamicTest(template + ": " + each.getKey(), () -> check(entry.getKey(), template,
                TextFixtures.conversation(conversations.get(each.getKey())), each.getValue())))));
  }

  private static void check(String family, String template, Conversation conversation, JsonNode golden) throws IOException {
    Renderer renderer = renderer(family, template);
    assertThat(renderer.family()).isEqualTo("template");
    assertThat(renderer.tokenizer().decodeAll(renderer.prompt(conversation)))
        .isEqualTo(renderer.tokenizer().decodeAll(TextFixtures.ids(golden.get("prompt"))));
    assertThat(renderer.prompt(conversation)).isEqualTo(TextFixtures.ids(golden.get("prompt")));
    Rendered whole = renderer.trainOn(TrainOn.ALL_TOKENS).render(conversation).get(0);
    assertThat(whole.tokens()).isEqualTo(TextFixtures.ids(golden.get("ids")));
    boolean answered = conversation.messages().get(conversation.messages().size() - 1).role().equals("assistant");
    Renderer written = Renderers.of(family, renderer.tokenizer());
    for (TrainOn parts : answered ? TrainOn.values() : new TrainOn[] {TrainOn.ALL_USER_AND_SYSTEM_MESSAGES}) {
      boolean emptySystem = parts == TrainOn.ALL_USER_AND_SYSTEM_MESSAGES && conversation.messages().get(0).content().isEmpty();
      if (parts != TrainOn.CUSTOMIZED && parts != TrainOn.ALL_MESSAGES && !emptySystem) {
        assertThat(renderer.trainOn(parts).show(conversation, false)).as(parts.name())
            .isEqualTo(written.trainOn(parts).show(conversation, false));
      }
    }
  }
}
