package dev.fettle.internal.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fettle.Conversation;
import dev.fettle.Dataset;
import dev.fettle.InvalidInputException;
import dev.fettle.Message;
import dev.fettle.Renderer;
import dev.fettle.Renderers;
import dev.fettle.Tokenizers;
import dev.fettle.ToolCall;
import dev.fettle.TrainOn;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.json.JsonReader;
import dev.fettle.support.ErrorStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** What a message of a file has is what a template reads, as in transformers: {@code src/test/golden/template_golden.py}. */
class MessagesReachTemplatesTest {
  private static final String ENDED = "{% for m in messages %}{{ m.role + ':' + m.content + '<|im_end|>' }}{% endfor %}";
  @TempDir
  static Path directory;
  private static int models;
  @RegisterExtension
  final ErrorStream err = new ErrorStream();

  private static Renderer renderer(String template) throws IOException {
    Path model = directory.resolve("m" + models++);
    TextFixtures.small(model, "{\"bos_token\": \"<s>\", \"eos_token\": \"</s>\"}");
    Files.writeString(model.resolve("chat_template.jinja"), template);
    return Renderers.detect(Tokenizers.open(model)).trainOn(TrainOn.ALL_TOKENS);
  }

  private static Conversation read(String line) throws IOException {
    Path file = Files.writeString(directory.resolve("line" + models++ + ".jsonl"), line);
    return (Conversation) Dataset.jsonl(file).examples().iterator().next();
  }

  @TestFactory
  Stream<DynamicTest> asTransformersGivesThem() throws IOException {
    JsonNode golden;
    try (InputStream in = getClass().getResourceAsStream("/template/messages.json")) {
      golden = JsonReader.STANDARD.read(in.readAllBytes());
    }
    return golden.valueStream().map(each -> DynamicTest.dynamicTest(each.get(0).asString() + " of " + each.get(1), () -> {
      Renderer renderer = renderer(each.get(0).asString());
      for (Map.Entry<String, JsonNode> argument : each.get(2).properties()) {
        renderer = renderer.with(argument.getKey(), argument.getValue().asJava());
      }
      assertThat(renderer.render(read(each.get(1).toString())).get(0).text()).isEqualTo(each.get(3).asString());
    }));
  }

  @Test
  void whatATemplateDoesNotTakeIsGivenAsMostTemplatesTakeIt() throws IOException {
    Renderer renderer = renderer(ENDED);
    assertThat(renderer.render(read("{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"text\","
        + "\"text\":\"b\"}]}]}")).get(0).text()).isEqualTo("user:ab<|im_end|>");
    assertThat(renderer("{% for m in messages %}{{ m.content }}{% endfor %}").render(read("{\"messages\":[{\"role\":\"user\","
        + "\"content\":[{\"type\":\"text\",\"text\":\"a\"}]}]}")).get(0).text()).isEqualTo("a");
    assertThat(renderer("{% for m in messages %}{% if m.role == 'system' %}{{ m.content }}{% endif %}{% endfor %}").render(
        read("{\"messages\":[{\"role\":\"developer\",\"content\":\"d\"}]}")).get(0).text()).isEqualTo("d");
    assertThat(renderer("{% for m in messages %}{% for c in m.tool_calls %}{{ c.function.arguments.items() | list }}{% endfor %}{% endfor %}")
        .render(read("{\"messages\":[{\"role\":\"assistant\",\"function_call\":{\"name\":\"f\",\"arguments\":\"{\\\"x\\\":1}\"}}]}"))
        .get(0).text()).isEqualTo("[('x', 1)]");
    assertThat(renderer("{% for m in messages %}{{ m.thinking }}{{ m.content }}{% endfor %}").render(read("{\"messages\":[{\"role\":"
        + "\"assistant\",\"content\":\"a\",\"reasoning\":\"r\"}]}")).get(0).text()).isEqualTo("ra");
  }

  @Test
  void fieldsThatAProgramGives() throws IOException {
    Renderer renderer = renderer("{% for m in messages %}{{ m.name }}/{{ m.tool_call_id }}/{{ (m.x or {}).y | first }}{{ m.reasoning_content }}"
        + "{% for c in m.tool_calls %}{{ c.id }}{% endfor %};{% endfor %}");
    Message answer = Message.tool("t").withName("n").withToolCallId("i").withField("x", Map.of("y", List.of("z")));

    assertThat(answer.name() + answer.toolCallId()).isEqualTo("ni");
    assertThat(renderer.render(Conversation.of(answer)).get(0).text()).isEqualTo("n/i/z;");
    Conversation called = read("{\"messages\":[{\"role\":\"assistant\",\"content\":null,\"thinking\":\"r\",\"tool_calls\":[{\"id\":\"a\","
        + "\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]}]}");
    Message changed = called.messages().get(0).withToolCalls(new ToolCall("b", "f", "{}")).withReasoning("s");
    assertThat(renderer.render(Conversation.of(changed)).get(0).text()).isEqualTo("//sb;");
    assertThatThrownBy(() -> answer.withField("content", "c")).isInstanceOf(InvalidInputException.class).hasMessageContaining("content");
    assertThatThrownBy(() -> answer.withField("x", new Object())).isInstanceOf(InvalidInputException.class).hasMessageContaining("fields.x");
  }

  @Test
  void aVariableThatNobodyReadsIsRefused() throws IOException {
    Renderer renderer = renderer(ENDED);
    assertThatThrownBy(() -> renderer.with("enable_thinking", false)).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("enable_thinking");
    assertThatThrownBy(() -> renderer.with("messages", List.of())).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("each conversation");
    assertThatThrownBy(() -> Renderers.of("chatml", renderer.tokenizer()).with("x", 1)).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("chatml");
  }

  @Test
  void aFieldThatNobodyReadsIsNamedOnce() throws IOException {
    Renderer renderer = renderer(ENDED.replace("m.content", "m.content + m.mood"));
    Conversation chat = read("{\"messages\":[{\"role\":\"assistant\",\"content\":\"a\",\"mood\":\"m\",\"id\":1,\"note\":2,\"empty\":[]}]}");
    renderer.render(chat);
    renderer.trainOn(TrainOn.ALL_MESSAGES).render(chat);

    assertThat(err.said()).containsOnlyOnce("field").contains("\"note\"");
  }

  @Test
  void fieldsOfMessagesForgeNoSpecialTokens() throws IOException {
    Renderer renderer = renderer("{% for m in messages %}{% for k, v in m.items() %}{{ k ~ v }}{% endfor %}{{ '<|im_end|>' }}{% endfor %}");
    Conversation forged = read("{\"messages\":[{\"role\":\"tool\",\"content\":\"<|im_end|>\",\"name\":\"<|im_end|>\",\"tool_call_id\":"
        + "\"<|im_end|>\",\"<|im_end|>\":{\"<|im_end|>\":[\"<|im_end|>\"]}}]}");

    assertThat(renderer.render(forged).get(0).tokens()).containsOnlyOnce(renderer.tokenizer().id("<|im_end|>").orElseThrow());
  }

  @Test
  void coloursOfWhoWroteWhat() throws IOException {
    Conversation chat = Conversation.of(Message.user("a"), Message.assistant("b"));

    assertThat(renderer(ENDED).trainOn(TrainOn.ALL_ASSISTANT_MESSAGES).show(chat, true)).startsWith("\u001b[36muser:\u001b[0m\u001b[32ma"
        + "\u001b[0m\u001b[36m<|im_end|>assistant:\u001b[0m\u001b[30;42mb\u001b[0m\u001b[30;46m<|im_end|>\u001b[0m\n\u001b[36mtemplate");
    assertThat(renderer(ENDED).trainOn(TrainOn.ALL_ASSISTANT_MESSAGES).html(Conversation.of(Message.user("<&"), Message.assistant("\n")))).contains(
        "title=\"message\">&lt;&amp;</span>", "title=\"template, trained\"", "title=\"computed\">computed</span>", "\u21b5\n</span>");
  }
}
