package dev.fettle.internal.data;

import dev.fettle.InvalidInputException;
import dev.fettle.Message;
import dev.fettle.ToolCall;
import dev.fettle.internal.json.JsonException;
import dev.fettle.internal.json.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Messages as OpenAI writes them, and as ShareGPT does. */
public final class ChatForms {
  private static final Map<String, String> ROLES = Map.of("system", "system", "developer", "system", "user", "user",
      "assistant", "assistant", "tool", "tool", "function", "tool");
  private static final Map<String, String> SHARE_GPT = Map.of("system", "system", "human", "user", "user", "user",
      "gpt", "assistant", "assistant", "assistant", "tool", "tool", "observation", "tool");

  private static final Set<String> SHARE_GPT_MESSAGE = Set.of("from", "value");
  private static final Set<String> PART = Set.of("text");
  private static final Set<String> CALL = Set.of("function");
  private static final Set<String> FUNCTION = Set.of("name", "arguments");

  private ChatForms() {}

  /**
   * The messages of a request, whose fields beyond those of each message go to the chat template.
   *
   * @param place what the list is called in errors
   */
  public static List<Message> messages(JsonNode list, String place) {
    return messages(list, place, new Leftovers());
  }

  /** A list of messages, or the JSON text of one, which a column of text needs. */
  static List<Message> messages(JsonNode given, String place, Leftovers leftovers) {
    JsonNode list = list(given, place);
    // OpenAI's rule: an assistant's message without "weight" counts, in a conversation where others have one.
    boolean weighted = false;
    for (JsonNode node : list) {
      weighted |= node.hasNonNull("weight");
    }
    List<Message> messages = new ArrayList<>();
    boolean called = false;
    for (JsonNode node : list) {
      Message message = message(node, place + "[" + messages.size() + "]", weighted, called, leftovers);
      called |= message.toolCalls().stream().anyMatch(call -> !call.id().isEmpty());
      messages.add(message);
    }
    return messages;
  }

  /** A list called conversations: ShareGPT's, or messages by another name. */
  static List<Message> conversations(JsonNode given, Leftovers leftovers) {
    JsonNode list = list(given, "conversations");
    return list.get(0).has("role") && !list.get(0).has("from") ? messages(list, "conversations", leftovers)
        : shareGpt(list, leftovers);
  }

  private static List<Message> shareGpt(JsonNode list, Leftovers leftovers) {
    List<Message> messages = new ArrayList<>();
    for (JsonNode node : list) {
      String place = "conversations[" + messages.size() + "]";
      requireObject(node, place);
      String role = role(node, "from", place, SHARE_GPT);
      messages.add(Message.of(role, JsonForms.string(node.get("value"), place + ".value")));
      leftovers.within(node, "conversations[]", SHARE_GPT_MESSAGE);
    }
    return messages;
  }

  private static Message message(JsonNode node, String place, boolean weighted, boolean called, Leftovers leftovers) {
    requireObject(node, place);
    String role = role(node, "role", place, ROLES);
    List<ToolCall> calls = toolCalls(node, place, leftovers);
    if (node.hasNonNull("function_call")) {
      calls.add(functionCall(node.get("function_call"), place + ".function_call"));
    }
    if (!calls.isEmpty() && !role.equals("assistant")) {
      throw new InvalidInputException(place + " has tool_calls, but only an assistant calls tools; its role is "
          + role);
    }
    boolean trained = trained(node, place, weighted && role.equals("assistant"));
    boolean excluded = role.equals("assistant") && node.path("weight").isNumber() && node.get("weight").asDouble() == 0;
    String content = content(node, place, !calls.isEmpty(), leftovers);
    return new Message(role, content, reasoning(node, place), calls, trained, excluded, MessageFields.of(node, role, called));
  }

  /** What OpenAI called a tool call before there were several. */
  private static ToolCall functionCall(JsonNode call, String place) {
    requireObject(call, place);
    return new ToolCall("", JsonForms.string(call.get("name"), place + ".name"),
        arguments(call.get("arguments"), place + ".arguments"));
  }

  private static String role(JsonNode node, String key, String place, Map<String, String> known) {
    String found = JsonForms.string(node.get(key), place + "." + key);
    String role = known.get(found);
    if (role == null) {
      throw new InvalidInputException(place + "." + key + " is \"" + JsonForms.excerpt(found) + "\"; expected one of "
          + String.join(", ", known.keySet().stream().sorted().toList()));
    }
    return role;
  }

  private static String content(JsonNode node, String place, boolean optional, Leftovers leftovers) {
    JsonNode content = node.get("content");
    if (optional && (content == null || content.isNull())) {
      return "";
    }
    if (content == null || !content.isArray()) {
      if (content != null && content.isString()) {
        return JsonForms.string(content, place + ".content");
      }
      throw new InvalidInputException(place + ".content is " + JsonForms.kind(content)
          + "; expected a string, a list of text parts, or null beside tool_calls");
    }
    StringBuilder text = new StringBuilder();
    int i = 0;
    for (JsonNode part : content) {
      String where = place + ".content[" + i++ + "]";
      requireObject(part, where);
      String type = JsonForms.string(part.get("type"), where + ".type");
      if (!type.equals("text")) {
        throw new InvalidInputException(where + " is of type \"" + JsonForms.excerpt(type)
            + "\"; only parts of type \"text\" are supported");
      }
      text.append(JsonForms.string(part.get("text"), where + ".text"));
      leftovers.within(part, general(place) + ".content[]", PART);
    }
    return text.toString();
  }

  private static String reasoning(JsonNode node, String place) {
    for (String key : List.of("reasoning_content", "reasoning", "thinking")) {
      JsonNode value = node.get(key);
      if (value != null && !value.isNull()) {
        return JsonForms.string(value, place + "." + key);
      }
    }
    return "";
  }

  private static boolean trained(JsonNode node, String place, boolean otherwise) {
    JsonNode weight = node.get("weight");
    if (weight != null && !weight.isNull()) {
      double value = weight.isNumber() ? weight.asDouble(Double.NaN) : Double.NaN;
      if (value != 0 && value != 1) {
        throw new InvalidInputException(place + ".weight is " + JsonForms.kind(weight) + "; expected 0 or 1");
      }
      return value == 1;
    }
    for (String key : List.of("trained", "trainable")) {
      JsonNode value = node.get(key);
      if (value != null && !value.isNull()) {
        if (!value.isBoolean()) {
          throw new InvalidInputException(place + "." + key + " is " + JsonForms.kind(value)
              + "; expected true or false");
        }
        return value.booleanValue();
      }
    }
    return otherwise;
  }

  private static List<ToolCall> toolCalls(JsonNode node, String place, Leftovers leftovers) {
    List<ToolCall> calls = new ArrayList<>();
    for (JsonNode call : JsonForms.list(node, "tool_calls", place + ".tool_calls")) {
      String where = place + ".tool_calls[" + calls.size() + "]";
      requireObject(call, where);
      JsonNode type = call.get("type");
      if (type != null && !type.isNull() && !JsonForms.string(type, where + ".type").equals("function")) {
        throw new InvalidInputException(where + ".type is " + type + "; only \"function\" is supported");
      }
      JsonNode function = call.get("function");
      requireObject(function, where + ".function");
      JsonNode id = call.get("id");
      calls.add(new ToolCall(id == null || id.isNull() ? "" : JsonForms.string(id, where + ".id"),
          JsonForms.string(function.get("name"), where + ".function.name"),
          arguments(function.get("arguments"), where + ".function.arguments")));
      leftovers.within(call, general(place) + ".tool_calls[]", CALL);
      leftovers.within(function, general(place) + ".tool_calls[].function", FUNCTION);
    }
    return calls;
  }

  private static String arguments(JsonNode arguments, String place) {
    if (arguments != null && arguments.isObject()) {
      return arguments.toString();
    }
    String text = JsonForms.string(arguments, place);
    JsonNode parsed;
    try {
      parsed = JsonForms.JSON.read(text);
    } catch (JsonException e) {
      throw new InvalidInputException(place + " is not JSON (" + e.getMessage() + "): "
          + JsonForms.excerpt(text));
    }
    if (!parsed.isObject()) {
      throw new InvalidInputException(place + " holds " + JsonForms.kind(parsed.isMissingNode() ? null : parsed)
          + "; expected a JSON object");
    }
    return text;
  }

  /** A place in any message: without its number. */
  private static String general(String place) {
    return place.replaceAll("\\[\\d+\\]", "[]");
  }

  private static JsonNode list(JsonNode given, String place) {
    JsonNode list = given.isString() && given.stringValue().stripLeading().startsWith("[") ? parsed(given.stringValue(), place) : given;
    if (!list.isArray() || list.isEmpty()) {
      throw new InvalidInputException(place + " is " + (list.isArray() ? "an empty list" : JsonForms.kind(list))
          + "; expected a list of messages");
    }
    return list;
  }

  private static JsonNode parsed(String text, String place) {
    try {
      return JsonForms.JSON.read(text);
    } catch (JsonException e) {
      throw new InvalidInputException(place + " is a text that is no JSON list (" + JsonForms.excerpt(e.getMessage()) + "): "
          + JsonForms.excerpt(text));
    }
  }

  private static void requireObject(JsonNode node, String place) {
    if (node == null || !node.isObject()) {
      throw new InvalidInputException(place + " is " + JsonForms.kind(node) + "; expected an object");
    }
  }
}
