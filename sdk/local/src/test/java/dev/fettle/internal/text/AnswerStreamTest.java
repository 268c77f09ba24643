package dev.fettle.internal.text;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fettle.Message;
import dev.fettle.Renderer;
import dev.fettle.ToolCall;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Parts of an answer as it comes: however its text is cut, together they are what the whole is read as. */
class AnswerStreamTest {
  private static final String CALL = "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": \"<b>\"}}\n</tool_call>";

  private record Seen(String reasoning, String content, List<ToolCall> calls) {}

  private static Renderer renderer(String family) {
    return ChatFormats.of(family, TextFixtures.small());
  }

  private static Seen streamed(AnswerStream stream, String text, Random cuts) {
    List<AnswerStream.Part> parts = new ArrayList<>();
    for (int at = 0; at < text.length();) {
      int next = Math.min(text.length(), at + 1 + cuts.nextInt(6));
      parts.addAll(stream.take(text.substring(at, next)));
      at = next;
    }
    parts.addAll(stream.end());
    StringBuilder reasoning = new StringBuilder();
    StringBuilder content = new StringBuilder();
    List<ToolCall> calls = new ArrayList<>();
    for (AnswerStream.Part part : parts) {
      if (part instanceof AnswerStream.Thought thought) {
        reasoning.append(thought.text());
      } else if (part instanceof AnswerStream.Content more) {
        content.append(more.text());
      } else if (part instanceof AnswerStream.Call call) {
        assertThat(call.index()).isEqualTo(calls.size());
        calls.add(call.call());
      }
    }
    return new Seen(reasoning.toString(), content.toString(), calls);
  }

  @ParameterizedTest
  @ValueSource(strings = {"plain text", "two\n\nparagraphs\n", "", "a < b, a <t c <tool", "I say <tool_call> and mean it",
      "<think>\nwell\n\nso\n</think>\n\nanswer", "<think>\nnever closed\n", "<think>\n\n</think>\n\n" + CALL, CALL + "\n" + CALL,
      "Let me see.\n" + CALL, "Let me see.\n\n" + CALL + "\nDone", "<tool_call>\n{broken}\n</tool_call>", "  <think>x</think>y",
      "{\"name\": \"f\", \"parameters\": {\"a\": 1}}", "{\"answer\": 42}", "[TOOL_CALLS] [{\"name\": \"f\", \"arguments\": {}}]", "<tool<tool<tool then\n", "see\n\n\nmore > [1] words\n\n",
      "<think>\na\n\nb c d\n\n\n</think>\n\n\nx\n\ny z\n", "a>\n\n" + CALL + " b\n c [d] e"})
  void howeverATextIsCutThePartsAreThoseOfTheWhole(String text) {
    for (String family : List.of("qwen2.5", "qwen3", "chatml")) {
      Renderer renderer = renderer(family);
      Message whole = ((ChatRenderer) renderer).format().parse(text);
      for (int seed = 0; seed < 20; seed++) {
        Seen seen = streamed(new AnswerStream(renderer, new int[0]), text, new Random(seed));

        assertThat(seen).as(family + " " + seed).isEqualTo(new Seen(whole.reasoning(), whole.content(), whole.toolCalls()));
      }
    }
  }

  @Test
  void whatIsCertainIsGivenAtOnce() {
    AnswerStream stream = new AnswerStream(renderer("qwen3"), new int[0]);

    assertThat(stream.take("<think>\nBecause")).containsExactly(new AnswerStream.Thought("Because"));
    assertThat(stream.take(" so\n</thi")).containsExactly(new AnswerStream.Thought(" so"));
    assertThat(stream.take("nk>\n\nYes")).containsExactly(new AnswerStream.Content("Yes"));
    assertThat(stream.take(", <tool")).containsExactly(new AnswerStream.Content(", "));
    assertThat(stream.take("s>")).containsExactly(new AnswerStream.Content("<tools>"));
  }
}
