package dev.fettle.langchain4j;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.fettle.Conversation;
import dev.fettle.Message;
import dev.fettle.ToolCall;
import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.TextContent;
import dev.langchain4j.data.message.ToolExecutionResultMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.model.chat.request.json.JsonObjectSchema;
import java.util.List;
import org.junit.jupiter.api.Test;

/** LangChain4j's messages as Fettle's. */
class ChatMessagesTest {
  private static final ToolExecutionRequest CALL = ToolExecutionRequest.builder().id("1").name("f").arguments("").build();

  @Test
  void messagesKeepAllThatTemplatesRead() {
    Conversation chat = ChatMessages.conversation(List.of(SystemMessage.from("Be brief."), UserMessage.from("Ada", "Hello"),
        UserMessage.from(TextContent.from("a"), TextContent.from("b")),
        AiMessage.builder().text("Wait.").thinking("Hm.").toolExecutionRequests(List.of(CALL)).build(),
        ToolExecutionResultMessage.from(CALL, "7")), List.of(), true);

    assertThat(chat.messages()).containsExactly(Message.system("Be brief."), Message.user("Hello").withName("Ada"),
        Message.user("a\nb"), Message.assistant("Wait.").withReasoning("Hm.").withToolCalls(new ToolCall("1", "f", "{}")),
        Message.tool("7").withName("f").withToolCallId("1"));
  }

  @Test
  void toolsAreDescribedAsOpenAiDoes() throws Exception {
    ToolSpecification bare = ToolSpecification.builder().name("now").build();
    ToolSpecification full = ToolSpecification.builder().name("add").description("Adds.").parameters(JsonObjectSchema.builder()
        .addIntegerProperty("a", "One.").addIntegerProperty("b").required("a").build()).build();

    Conversation chat = ChatMessages.conversation(List.of(UserMessage.from("a")), List.of(bare, full), false);

    ObjectMapper json = new ObjectMapper();
    assertThat(json.readTree(chat.tools().get(0))).isEqualTo(json.readTree("""
        {"type": "function", "function": {"name": "now", "parameters": {"type": "object", "properties": {}}}}"""));
    assertThat(json.readTree(chat.tools().get(1))).isEqualTo(json.readTree("""
        {"type": "function", "function": {"name": "add", "description": "Adds.", "parameters": {"type": "object",
        "properties": {"a": {"type": "integer", "description": "One."}, "b": {"type": "integer"}}, "required": ["a"]}}}"""));
  }
}
