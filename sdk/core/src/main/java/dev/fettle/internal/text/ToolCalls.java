package dev.fettle.internal.text;

import dev.fettle.Conversation;
import dev.fettle.InvalidInputException;
import dev.fettle.Message;
import dev.fettle.ToolCall;
import dev.fettle.internal.json.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Tool calls as Qwen writes them, and what all families share about tools. */
final class ToolCalls {
  private static final Pattern CALL = Pattern.compile("\\n?<tool_call>\\s*(\\{.*?\\})\\s*</tool_call>", Pattern.DOTALL);

  private ToolCalls() {}

  /** The description of a tool. */
  static JsonNode tool(String json) {
    return Json.object(json, "the tool " + (json.length() > 60 ? json.substring(0, 60) + "..." : json));
  }

  /** The arguments of a call. */
  static JsonNode arguments(String family, Conversation conversation, int index, ToolCall call) {
    try {
      return Json.object(call.arguments(), "the arguments of " + call.name());
    } catch (InvalidInputException e) {
      throw Refusals.refuse(family, conversation, index, e.getMessage());
    }
  }

  /** The calls of a message, each in its tags. */
  static String write(String family, Conversation conversation, int index, boolean afterContent) {
    StringBuilder out = new StringBuilder();
    for (ToolCall call : conversation.messages().get(index).toolCalls()) {
      out.append(afterContent || out.length() > 0 ? "\n" : "").append("<tool_call>\n{\"name\": \"").append(call.name())
          .append("\", \"arguments\": ")
          .append(PythonJson.compact(arguments(family, conversation, index, call))).append("}\n</tool_call>");
    }
    return out.toString();
  }

  /** Takes the calls out of a content; what is not understood stays. */
  static Message parse(Message message) {
    List<ToolCall> calls = new ArrayList<>();
    StringBuilder rest = new StringBuilder();
    Matcher matcher = CALL.matcher(message.content());
    while (matcher.find()) {
      ToolCall call = call(matcher.group(1), "arguments");
      matcher.appendReplacement(rest, call == null ? Matcher.quoteReplacement(matcher.group()) : "");
      if (call != null) {
        calls.add(call);
      }
    }
    matcher.appendTail(rest);
    return calls.isEmpty() ? message
        : Message.assistant(rest.toString()).withReasoning(message.reasoning())
            .withToolCalls(calls.toArray(ToolCall[]::new));
  }

  /** One call as JSON with a name and an object of arguments, or null. */
  static ToolCall call(String json, String argumentsKey) {
    try {
      return call(Json.object(json, "a tool call"), argumentsKey);
    } catch (InvalidInputException e) {
      return null;
    }
  }

  static ToolCall call(JsonNode node, String argumentsKey) {
    JsonNode arguments = node.path(argumentsKey);
    return node.path("name").isString() && arguments.isObject()
        ? new ToolCall(node.path("id").asString(""), node.path("name").asString(), PythonJson.compact(arguments))
        : null;
  }
}
