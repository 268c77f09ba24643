package dev.fettle.internal.text;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fettle.Conversation;
import dev.fettle.Rendered;
import dev.fettle.Renderer;
import dev.fettle.Renderers;
import dev.fettle.Tokenizer;
import dev.fettle.Tokenizers;
import dev.fettle.TrainOn;
import dev.fettle.internal.json.JsonNode;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Golden ids by transformers' {@code apply_chat_template}: {@code src/test/golden/text_golden.py}. */
class RenderedIdsEqualTheRealTemplatesTest {
  @TempDir
  static Path directory;

  @TestFactory
  Stream<DynamicTest> bySmallTokenizer() {
    JsonNode golden = TextFixtures.json("rendered.json");
    return golden.properties().stream().flatMap(family -> {
      Tokenizer tokenizer = TextFixtures.smallFor(family.getKey(), directory);
      return tests(family.getKey(), tokenizer, family.getValue());
    });
  }

  @TestFactory
  Stream<DynamicTest> byTheRealQwen3Tokenizer() {
    Tokenizer tokenizer = Tokenizers.open(TextFixtures.shared("tokenizers/qwen2/built-qwen3"));
    return TextFixtures.json("rendered-qwen.json").properties().stream().filter(f -> f.getKey().startsWith("qwen3"))
        .flatMap(family -> tests(family.getKey(), tokenizer, family.getValue()));
  }

  @TestFactory
  Stream<DynamicTest> byTheRealQwen25Tokenizer() {
    Tokenizer tokenizer = Tokenizers.open(TextFixtures.shared("tokenizers/qwen2/built-qwen2.5"));
    return tests("qwen2.5", tokenizer, TextFixtures.json("rendered-qwen.json").get("qwen2.5"));
  }

  @Test
  void coversEveryFamilyThatHasATemplate() {
    assertThat(TextFixtures.json("rendered.json").propertyNames())
        .containsExactlyInAnyOrderElementsOf(ChatFormats.FAMILIES.keySet().stream().filter(f -> !f.equals("roles"))
            .toList());
  }

  private static Stream<DynamicTest> tests(String family, Tokenizer tokenizer, JsonNode cases) {
    Renderer renderer = Renderers.of(family, tokenizer);
    JsonNode conversations = TextFixtures.json("cases.json");
    return cases.properties().stream().filter(c -> c.getValue().get("ids").isArray()).flatMap(golden -> {
      Conversation conversation = TextFixtures.conversation(conversations.get(golden.getKey()));
      int[] whole = TextFixtures.ids(golden.getValue().get("ids"));
      return Stream.of(
          DynamicTest.dynamicTest(family + ": " + golden.getKey() + ", prompt", () ->
              equal(tokenizer, renderer.prompt(conversation), TextFixtures.ids(golden.getValue().get("prompt")))),
          DynamicTest.dynamicTest(family + ": " + golden.getKey(), () ->
              equal(tokenizer, renderer.trainOn(TrainOn.ALL_TOKENS).render(conversation).get(0).tokens(), whole)),
          DynamicTest.dynamicTest(family + ": " + golden.getKey() + ", other parts", () -> {
            for (TrainOn parts : List.of(TrainOn.LAST_ASSISTANT_TURN, TrainOn.ALL_ASSISTANT_MESSAGES)) {
              if (conversation.messages().get(conversation.messages().size() - 1).role().equals("assistant")) {
                List<Rendered> rendered = renderer.trainOn(parts).render(conversation);
                equal(tokenizer, rendered.get(rendered.size() - 1).tokens(), whole);
              }
            }
          }));
    });
  }

  private static void equal(Tokenizer tokenizer, int[] actual, int[] expected) {
    assertThat(tokenizer.decodeAll(actual)).isEqualTo(tokenizer.decodeAll(expected));
    assertThat(actual).isEqualTo(expected);
  }
}
