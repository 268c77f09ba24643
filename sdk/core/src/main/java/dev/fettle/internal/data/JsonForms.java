package dev.fettle.internal.data;

import dev.fettle.Completion;
import dev.fettle.Conversation;
import dev.fettle.Example;
import dev.fettle.InvalidInputException;
import dev.fettle.Message;
import dev.fettle.Text;
import dev.fettle.internal.json.JsonException;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.json.JsonReader;
import dev.fettle.internal.json.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** What a line of JSON may look like, and the example that it is. Errors say what was found and what is expected. */
final class JsonForms {
  static final JsonReader JSON = JsonReader.STANDARD.within(bounds -> bounds.maxStringLength(Lines.LONGEST)).withoutDuplicates();
  private static final String FORMS = "{\"messages\": [...]}, {\"prompt\": ..., \"completion\": ...}, {\"text\": ...}, "
      + "{\"instruction\": ..., \"output\": ...} or {\"conversations\": [...]}";
  private static final int EXCERPT = 100;

  private JsonForms() {}

  /** A field that is null is not there. */
  static Example example(String line, Leftovers leftovers) {
    JsonNode node = object(line, FORMS);
    if (node.hasNonNull("messages")) {
      leftovers.note(node, "messages");
      return chat(node, ChatForms.messages(node.get("messages"), "messages"));
    }
    if (node.hasNonNull("conversations")) {
      leftovers.note(node, "conversations");
      return chat(node, ChatForms.conversations(node.get("conversations")));
    }
    if (node.hasNonNull("prompt") && node.hasNonNull("completion")) {
      leftovers.note(node, "prompt", "completion");
      return completion(node);
    }
    if (node.hasNonNull("instruction") && node.hasNonNull("output")) {
      leftovers.note(node, "instruction", "input", "output");
      return alpaca(node);
    }
    if (node.hasNonNull("text")) {
      leftovers.note(node, "text");
      return new Text(string(node.get("text"), "text"));
    }
    throw new InvalidInputException("an object with " + keys(node) + "; expected " + FORMS
        + ". For another form give a function: Dataset.jsonl(path, line -> ...)");
  }

  static Example example(String line, Function<? super Map<String, Object>, ? extends Example> form) {
    Map<String, Object> values = object(line, FORMS).asJava();
    Example example;
    try {
      example = form.apply(values);
    } catch (RuntimeException e) {
      String what = e instanceof InvalidInputException ? e.getMessage() : e.toString();
      throw new InvalidInputException("the given function failed: " + what, e);
    }
    if (example == null) {
      throw new InvalidInputException("the given function returned null; it must give an example for every line");
    }
    return example;
  }

  /** A chat, whose system message may stand beside its messages. */
  private static Conversation chat(JsonNode node, List<Message> messages) {
    String system = node.hasNonNull("system") ? string(node.get("system"), "system") : "";
    if (system.isEmpty()) {
      return new Conversation(messages, tools(node));
    } else if (messages.get(0).role().equals("system")) {
      if (messages.get(0).content().equals(system)) {
        return new Conversation(messages, tools(node));
      }
      throw new InvalidInputException("a system text beside the messages and another in the first of them: keep one");
    }
    List<Message> all = new ArrayList<>(List.of(Message.system(system)));
    all.addAll(messages);
    return new Conversation(all, tools(node));
  }

  private static Conversation alpaca(JsonNode node) {
    String input = node.hasNonNull("input") ? string(node.get("input"), "input") : "";
    String question = string(node.get("instruction"), "instruction") + (input.isEmpty() ? "" : "\n\n" + input);
    return chat(node, List.of(Message.user(question), Message.assistant(string(node.get("output"), "output"))));
  }

  private static Example completion(JsonNode node) {
    JsonNode prompt = node.get("prompt");
    JsonNode completion = node.get("completion");
    if (prompt.isArray() && completion.isArray()) {
      List<Message> messages = new ArrayList<>(ChatForms.messages(prompt, "prompt"));
      for (Message message : ChatForms.messages(completion, "completion")) {
        messages.add(message.withTrained(message.role().equals("assistant")));
      }
      return chat(node, messages);
    }
    if (node.hasNonNull("system") && !node.get("system").asString("").isEmpty()) {
      throw new InvalidInputException("a system text beside a prompt that is no list of messages: write the prompt as messages");
    }
    if (prompt.isArray() || completion.isArray()) {
      throw new InvalidInputException("prompt is " + kind(prompt) + " and completion is " + kind(completion)
          + "; expected two strings or two lists of messages");
    }
    return new Completion(string(prompt, "prompt"), string(completion, "completion"));
  }

  private static List<String> tools(JsonNode node) {
    List<String> tools = new ArrayList<>();
    for (JsonNode tool : list(node, "functions", "functions")) {
      if (!tool.isObject()) {
        throw new InvalidInputException("functions[" + tools.size() + "] is " + kind(tool) + "; expected an object");
      }
      tools.add(new ObjectNode().put("type", "function").set("function", tool).toString());
    }
    for (JsonNode tool : toolList(node)) {
      if (!tool.isObject()) {
        throw new InvalidInputException("tools[" + tools.size() + "] is " + kind(tool) + "; expected an object");
      }
      tools.add(tool.toString());
    }
    return tools;
  }

  /** The tools, which may be written as the text of a JSON list: tables with one type a column need that. */
  private static Iterable<JsonNode> toolList(JsonNode node) {
    JsonNode tools = node.get("tools");
    if (tools == null || !tools.isString()) {
      return list(node, "tools", "tools");
    } else if (tools.stringValue().isBlank()) {
      return List.of();
    }
    try {
      return list(new ObjectNode().set("tools", JSON.read(tools.stringValue())), "tools", "the JSON text in tools");
    } catch (JsonException e) {
      throw new InvalidInputException("tools is a text that is not JSON (" + excerpt(e.getMessage()) + "): "
          + excerpt(tools.stringValue()));
    }
  }

  static ObjectNode object(String line, String expected) {
    JsonNode node;
    try {
      node = JSON.read(line);
    } catch (JsonException e) {
      String hint = line.stripLeading().startsWith("[") ? " (JSON Lines has one object a line, not one array)" : "";
      String place = e.column() == 0 ? "" : " at column " + e.column();
      throw new InvalidInputException("malformed JSON" + place + ": " + excerpt(e.getMessage()) + hint);
    }
    if (node instanceof ObjectNode object) {
      return object;
    }
    throw new InvalidInputException(kind(node) + "; expected an object, " + expected);
  }

  /** The elements of an optional list. */
  static Iterable<JsonNode> list(JsonNode node, String key, String place) {
    JsonNode value = node.get(key);
    if (value == null || value.isNull()) {
      return List.of();
    }
    if (!value.isArray()) {
      throw new InvalidInputException(place + " is " + kind(value) + "; expected a list");
    }
    return value;
  }

  /** A string that can be written as UTF-8, as the tokenizer will want it. */
  static String string(JsonNode value, String place) {
    if (value == null || !value.isString()) {
      throw new InvalidInputException(place + " is " + kind(value) + "; expected a string");
    }
    String text = value.stringValue();
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (Character.isHighSurrogate(c) && i + 1 < text.length() && Character.isLowSurrogate(text.charAt(i + 1))) {
        i++;
      } else if (Character.isSurrogate(c)) {
        throw new InvalidInputException(String.format("%s has half a surrogate pair, \\u%04x, at character %d; "
            + "it is no Unicode text", place, (int) c, i));
      }
    }
    return text;
  }

  static String kind(JsonNode value) {
    return value == null ? "missing"
        : value.isNull() ? "null"
        : value.isString() ? "a string"
        : value.isBoolean() ? "the truth value " + value
        : value.isNumber() ? "the number " + excerpt(value.toString())
        : value.isArray() ? "a list"
        : "an object with " + keys(value);
  }

  static String keys(JsonNode object) {
    List<String> names = new ArrayList<>();
    for (String name : object.propertyNames()) {
      if (names.size() == 8) {
        names.add("...");
        break;
      }
      names.add(excerpt(name));
    }
    return names.isEmpty() ? "no keys" : "the keys " + String.join(", ", names);
  }

  static String excerpt(String text) {
    String start = text.length() <= EXCERPT ? text : text.substring(0, EXCERPT) + "...";
    return start.replaceAll("\\p{Cntrl}", "?");
  }
}
