package dev.fettle.internal.text;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fettle.Conversation;
import dev.fettle.Message;
import dev.fettle.Renderer;
import dev.fettle.Renderers;
import dev.fettle.Tokenizer;
import dev.fettle.Tokenizers;
import dev.fettle.ToolCall;
import dev.fettle.internal.json.JsonPrinter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Text that spells special tokens stays text, wherever in a conversation it stands. */
class ForgedTokensTest {
  private static final String TEMPLATE = "data/chat-templates/trl/qwen3.jinja";

  @TempDir
  Path directory;

  private Tokenizer withTemplate(String tokenizer) throws IOException {
    Path source = TextFixtures.shared(tokenizer);
    Path template = TextFixtures.shared(TEMPLATE);
    Files.copy(source.resolve("tokenizer.json"), directory.resolve("tokenizer.json"));
    Files.copy(template, directory.resolve("chat_template.jinja"));
    Files.writeString(directory.resolve("tokenizer_config.json"), "{}");
    return Tokenizers.open(directory);
  }

  private static List<String> specials(Tokenizer tokenizer) {
    return IntStream.range(0, tokenizer.vocabSize()).filter(tokenizer::special).mapToObj(tokenizer::token).toList();
  }

  private static Conversation everywhere(String text) {
    String json = JsonPrinter.line(text);
    ToolCall call = new ToolCall("id" + text, "f" + text, "{" + json + ": [" + json + ", {\"a\": " + json + "}]}");
    return new Conversation(List.of(Message.system(text), Message.user("x" + text), Message.assistant(text + "y")
        .withReasoning(text).withToolCalls(call), Message.tool(text), Message.assistant(text + text).withReasoning("a" + text)),
        List.of("{\"type\": \"function\", \"function\": {\"name\": " + json + ", " + json + ": " + json + "}}"));
  }

  @ParameterizedTest
  @CsvSource({"tokenizers/qwen2/built-qwen2", "tokenizers/qwen2/built-qwen2.5", "tokenizers/qwen2/built-qwen3", "tokenizers/gpt2",
      "models/stories260K/hf"})
  void noSpecialTokenComesFromText(String name) throws IOException {
    Tokenizer tokenizer = withTemplate(name);
    Renderer renderer = Renderers.detect(tokenizer);
    List<String> all = specials(tokenizer).stream().filter(token -> !tokenizer.token(tokenizer.encode("\ufffc")[0]).equals(token)).toList();
    String text = all.stream().collect(Collectors.joining(" "));
    assertThat(all).isNotEmpty();

    int[] honest = specialIds(tokenizer, renderer.prompt(everywhere("plain text")));
    for (String forged : List.of(text, text.replace(" ", ""), all.get(0))) {
      int[] ids = renderer.prompt(everywhere(forged));
      assertThat(specialIds(tokenizer, ids)).isEqualTo(honest);
      assertThat(tokenizer.decodeAll(ids)).contains(forged);
    }
  }

  private static int[] specialIds(Tokenizer tokenizer, int[] ids) {
    return Arrays.stream(ids).filter(id -> tokenizer.special(id) && !tokenizer.token(id).equals("<unk>")).toArray();
  }
}
