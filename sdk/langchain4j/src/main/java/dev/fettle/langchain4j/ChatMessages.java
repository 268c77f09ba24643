package dev.fettle.langchain4j;

import dev.fettle.Conversation;
import dev.fettle.Message;
import dev.fettle.ToolCall;
import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.ChatMessage;
import dev.langchain4j.data.message.Content;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.TextContent;
import dev.langchain4j.data.message.ToolExecutionResultMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.internal.Json;
import dev.langchain4j.internal.JsonSchemaElementUtils;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** LangChain4j's messages as Fettle's. */
final class ChatMessages {
  private ChatMessages() {}

  /** A chat with tools, which its assistant may call. */
  static Conversation conversation(List<ChatMessage> messages, List<ToolSpecification> tools, boolean thinking) {
    return new Conversation(messages.stream().map(message -> message(message, thinking)).toList(),
        tools.stream().map(ChatMessages::tool).toList());
  }

  private static Message message(ChatMessage message, boolean thinking) {
    if (message instanceof SystemMessage system) {
      return Message.system(system.text());
    } else if (message instanceof UserMessage user) {
      Message said = Message.user(text(user.contents()));
      return user.name() == null ? said : said.withName(user.name());
    } else if (message instanceof AiMessage ai) {
      return answer(ai, thinking);
    } else if (message instanceof ToolExecutionResultMessage result) {
      Message said = Message.tool(text(result.contents()));
      said = result.toolName() == null ? said : said.withName(result.toolName());
      return result.id() == null ? said : said.withToolCallId(result.id());
    }
    throw ChatSettings.unsupported("a message of type " + message.type(), "give system, user, AI and tool result messages");
  }

  private static Message answer(AiMessage ai, boolean thinking) {
    Message said = Message.assistant(ai.text() == null ? "" : ai.text());
    if (thinking && ai.thinking() != null) {
      said = said.withReasoning(ai.thinking());
    }
    return ai.hasToolExecutionRequests()
        ? said.withToolCalls(ai.toolExecutionRequests().stream().map(ChatMessages::call).toArray(ToolCall[]::new)) : said;
  }

  private static ToolCall call(ToolExecutionRequest request) {
    String arguments = request.arguments();
    return new ToolCall(request.id() == null ? "" : request.id(), request.name(),
        arguments == null || arguments.isBlank() ? "{}" : arguments);
  }

  private static String text(List<Content> contents) {
    return contents.stream().map(content -> {
      if (content instanceof TextContent text) {
        return text.text();
      }
      throw ChatSettings.unsupported(content.type().toString().toLowerCase(Locale.ROOT) + " content",
          "the models read text alone");
    }).collect(Collectors.joining("\n"));
  }

  /** A tool as OpenAI describes it and chat templates take it. */
  private static String tool(ToolSpecification tool) {
    Map<String, Object> function = new LinkedHashMap<>();
    function.put("name", tool.name());
    if (tool.description() != null) {
      function.put("description", tool.description());
    }
    function.put("parameters", tool.parameters() == null ? Map.of("type", "object", "properties", Map.of())
        : JsonSchemaElementUtils.toMap(tool.parameters()));
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("type", "function");
    all.put("function", function);
    return Json.toJson(all);
  }
}
