package dev.fettle.internal.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fettle.Conversation;
import dev.fettle.InvalidInputException;
import dev.fettle.Message;
import dev.fettle.Renderer;
import dev.fettle.Renderers;
import dev.fettle.ToolCall;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RendererRefusesWhatItCannotExpressTest {
  private static final ToolCall CALL = new ToolCall("call00001", "f", "{}");

  @TempDir
  Path directory;

  private void refused(String family, Conversation conversation, String... parts) {
    Renderer renderer = Renderers.of(family, TextFixtures.smallFor(family, directory));
    assertThatThrownBy(() -> renderer.prompt(conversation)).isInstanceOf(InvalidInputException.class)
        .satisfies(e -> assertThat(e.getMessage()).contains(parts).contains(family));
  }

  @ParameterizedTest
  @ValueSource(strings = {"chatml", "llama3", "roles"})
  void toolsWhereThereAreNone(String family) {
    refused(family, new Conversation(List.of(Message.user("a")), List.of("{}")), "no place for tools");
    refused(family, Conversation.of(Message.user("a"), Message.tool("b")), "message 2 of 2 (tool)");
    refused(family, Conversation.of(Message.user("a"), Message.assistant("").withToolCalls(CALL)), "no tool calls");
  }

  @ParameterizedTest
  @ValueSource(strings = {"chatml", "llama3", "llama3.1", "roles", "qwen2.5", "qwen3-instruct", "qwen3-no-thinking",
      "mistral"})
  void reasoningWhereThereIsNone(String family) {
    refused(family, Conversation.of(Message.user("a"), Message.assistant("b").withReasoning("r")),
        "message 2 of 2 (assistant)", "reasoning");
  }

  @Test
  void mistralWantsTurnsAndIds() {
    refused("mistral", Conversation.of(Message.user("a"), Message.user("b")), "message 2 of 2", "alternate");
    refused("mistral", Conversation.of(Message.user("a"), Message.system("b")), "system message can only be the first");
    refused("mistral", Conversation.of(Message.user("a"),
        Message.assistant("").withToolCalls(new ToolCall("1", "f", "{}"))), "9 letters");
    refused("mistral", Conversation.of(Message.user("a"), Message.tool("x")), "no tool call before it");
    refused("mistral", Conversation.of(Message.system("a")), "without a user message");
  }

  @Test
  void llama31HasOneCallAMessageAndNoTextBesideIt() {
    refused("llama3.1", Conversation.of(Message.user("a"), Message.assistant("").withToolCalls(CALL, CALL)),
        "one tool call");
    refused("llama3.1", Conversation.of(Message.user("a"), Message.assistant("x").withToolCalls(CALL)),
        "no text beside");
    refused("llama3.1", new Conversation(List.of(Message.system("a")), List.of("{}")), "first user message");
  }

  @Test
  void argumentsAndToolsMustBeJsonObjects() {
    refused("qwen3", Conversation.of(Message.user("a"),
        Message.assistant("").withToolCalls(new ToolCall("", "f", "{\"x\": "))), "message 2 of 2", "arguments of f");
    Renderer renderer = Renderers.of("qwen3", TextFixtures.small());
    assertThatThrownBy(() -> renderer.prompt(new Conversation(List.of(Message.user("a")), List.of("[1]"))))
        .isInstanceOf(InvalidInputException.class).hasMessageContaining("the tool [1] is not a JSON object");
  }

  @Test
  void onlyAssistantsThinkAndCall() {
    refused("qwen3", Conversation.of(Message.user("a").withReasoning("r")), "only an assistant has reasoning");
    refused("qwen3", Conversation.of(Message.user("a").withToolCalls(CALL)), "only an assistant calls tools");
  }
}
