package dev.fettle.internal.text;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fettle.Conversation;
import dev.fettle.Message;
import dev.fettle.Rendered;
import dev.fettle.Renderer;
import dev.fettle.Renderers;
import dev.fettle.ToolCall;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SampledTokensBecomeMessagesTest {
  private static final ToolCall CALL = new ToolCall("", "find", "{\"number\": \"A7\"}");

  @TempDir
  Path directory;

  private Renderer renderer(String family) {
    return Renderers.of(family, TextFixtures.smallFor(family, directory));
  }

  /** What the model should sample: the trained tokens. */
  private static int[] output(Renderer renderer, Message answer) {
    Rendered rendered = renderer.render(Conversation.of(Message.user("a"), answer)).get(0);
    int first = 0;
    while (rendered.weights()[first] == 0) {
      first++;
    }
    return Arrays.copyOfRange(rendered.tokens(), first, rendered.length());
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama3", "llama3.1", "qwen2.5", "qwen3", "qwen3-no-thinking", "qwen3-instruct", "chatml",
      "mistral", "roles"})
  void whatWasTrainedIsParsedBack(String family) {
    Renderer renderer = renderer(family);
    Message answer = Message.assistant("It is \u00e9 in\n\nthe old town.");
    int[] output = output(renderer, answer);

    assertThat(renderer.parse(output)).isEqualTo(answer);
    assertThat(renderer.parse(Arrays.copyOf(output, output.length - 2)).content()).isNotEmpty();
    assertThat(renderer.parse(new int[0])).isEqualTo(Message.assistant(""));
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama3.1", "qwen2.5", "qwen3", "qwen3-instruct"})
  void toolCalls(String family) {
    Renderer renderer = renderer(family);
    Message answer = Message.assistant("").withToolCalls(CALL);

    assertThat(renderer.parse(output(renderer, answer))).isEqualTo(answer);
  }

  @Test
  void mistralToolCallsKeepTheirIds() {
    Renderer renderer = renderer("mistral");
    Message answer = Message.assistant("").withToolCalls(new ToolCall("call00001", "find", "{\"number\": \"A7\"}"),
        new ToolCall("call00002", "f", "{}"));

    assertThat(renderer.parse(output(renderer, answer))).isEqualTo(answer);
  }

  @Test
  void reasoningAndCallsOfQwen3() {
    Renderer renderer = renderer("qwen3");
    Message answer = Message.assistant("Let me look.").withReasoning("Hm.\nYes.").withToolCalls(CALL, CALL);

    assertThat(renderer.parse(output(renderer, answer))).isEqualTo(answer);
    assertThat(renderer.parse(renderer.tokenizer().encode("<think>\nHm")))
        .isEqualTo(Message.assistant("").withReasoning("Hm"));
  }

  @Test
  void whatIsMalformedStaysContent() {
    Renderer renderer = renderer("qwen3");
    String broken = "x\n<tool_call>\n{\"name\": 1}\n</tool_call>";

    assertThat(renderer.parse(renderer.tokenizer().encode(broken))).isEqualTo(Message.assistant(broken));
    assertThat(renderer.parse(new int[] {99_999, -3, renderer.tokenizer().encode("x")[0]}).content()).isEqualTo("x");
    assertThat(renderer("mistral").parse(new int[] {renderer.tokenizer().id("[TOOL_CALLS]").orElseThrow()}).content())
        .isEqualTo("[TOOL_CALLS]");
  }

  @Test
  void stops() {
    Renderer roles = renderer("roles");
    assertThat(roles.stopStrings()).containsExactly("\n\nUser:");
    assertThat(roles.parse(roles.tokenizer().encode(" Hi.\n\nUser: more"))).isEqualTo(Message.assistant("Hi."));
    assertThat(renderer("llama3").stopTokens())
        .containsExactly(roles.tokenizer().id("<|eot_id|>").orElseThrow());
    assertThat(renderer("qwen3").stopTokens()).containsExactly(roles.tokenizer().id("<|im_end|>").orElseThrow());
    assertThat(renderer("mistral").stopTokens()).containsExactly(roles.tokenizer().id("</s>").orElseThrow());
  }
}
