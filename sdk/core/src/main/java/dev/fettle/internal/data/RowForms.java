package dev.fettle.internal.data;

import dev.fettle.Completion;
import dev.fettle.Conversation;
import dev.fettle.Example;
import dev.fettle.Feedback;
import dev.fettle.InvalidInputException;
import dev.fettle.Message;
import dev.fettle.Text;
import dev.fettle.internal.json.JsonException;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.json.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** What rows may look like, and the examples that they are. Errors say what was found and what is expected. */
final class RowForms {
  static final String FORMS = "{\"messages\": [...]}, {\"prompt\": ..., \"completion\": ...}, {\"text\": ...}, "
      + "{\"instruction\": ..., \"output\": ...}, {\"conversations\": [...]} or {\"chosen\": ..., \"rejected\": ...}";

  private RowForms() {}

  /** A field that is null is not there. */
  static Example example(JsonNode row, Fields fields, Leftovers leftovers) {
    JsonNode node = fields.named(row, leftovers);
    for (Form form : fields.forms()) {
      if (form.fits(node)) {
        leftovers.note(node, form.fields());
        return example(form, node, leftovers);
      }
    }
    for (Form form : fields.forms()) {
      if (form.required().stream().allMatch(node::has)) {
        throw new InvalidInputException(String.join(" and ", form.required().stream().filter(name -> !node.hasNonNull(name)).toList())
            + " is null or an empty cell, in an object with " + JsonForms.keys(row));
      }
    }
    if (!fields.isEmpty()) {
      throw new InvalidInputException("an object with " + JsonForms.keys(row) + "; no value for "
          + String.join(", ", fields.forms().get(0).required().stream().filter(name -> !node.hasNonNull(name)).toList()));
    }
    throw new InvalidInputException("an object with " + JsonForms.keys(row) + "; expected " + FORMS
        + ". For other names say which column is what: fields(\"prompt=question\", \"completion=answer\"); "
        + "for another form give a function: Dataset.jsonl(path, line -> ...)");
  }

  private static Example example(Form form, JsonNode node, Leftovers leftovers) {
    return switch (form) {
      case PAIR -> PreferenceForms.pair(node, leftovers);
      case OPENAI_PAIR -> PreferenceForms.openAi(node, leftovers);
      case FEEDBACK -> new Feedback(completion(node, leftovers), node.get("label").asBoolean());
      case MESSAGES -> chat(node, ChatForms.messages(node.get("messages"), "messages", leftovers));
      case CONVERSATIONS -> chat(node, ChatForms.conversations(node.get("conversations"), leftovers));
      case COMPLETION -> completion(node, leftovers);
      case ALPACA -> alpaca(node);
      case TEXT -> new Text(JsonForms.string(node.get("text"), "text"));
    };
  }

  static Example example(JsonNode row, Function<? super Map<String, Object>, ? extends Example> form) {
    Map<String, Object> values = ((ObjectNode) row).asJava();
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
  static Conversation chat(JsonNode node, List<Message> messages) {
    return new Conversation(withSystem(node, messages), tools(node));
  }

  private static List<Message> withSystem(JsonNode node, List<Message> messages) {
    String system = node.hasNonNull("system") ? JsonForms.string(node.get("system"), "system") : "";
    if (system.isEmpty()) {
      return messages;
    } else if (messages.get(0).role().equals("system")) {
      if (messages.get(0).content().equals(system)) {
        return messages;
      }
      throw new InvalidInputException("a system text beside the messages and another in the first of them: keep one");
    }
    List<Message> all = new ArrayList<>(List.of(Message.system(system)));
    all.addAll(messages);
    return all;
  }

  private static Conversation alpaca(JsonNode node) {
    String input = node.hasNonNull("input") ? JsonForms.string(node.get("input"), "input") : "";
    String question = JsonForms.string(node.get("instruction"), "instruction") + (input.isEmpty() ? "" : "\n\n" + input);
    return chat(node, List.of(Message.user(question), Message.assistant(JsonForms.string(node.get("output"), "output"))));
  }

  private static Example completion(JsonNode node, Leftovers leftovers) {
    JsonNode prompt = node.get("prompt");
    JsonNode completion = node.get("completion");
    if (prompt.isArray() && completion.isArray()) {
      List<Message> messages = new ArrayList<>(ChatForms.messages(prompt, "prompt", leftovers));
      for (Message message : ChatForms.messages(completion, "completion", leftovers)) {
        messages.add(message.withTrained(message.role().equals("assistant")));
      }
      return chat(node, messages);
    }
    requireNoSystem(node);
    if (prompt.isArray() || completion.isArray()) {
      throw new InvalidInputException("prompt is " + JsonForms.kind(prompt) + " and completion is " + JsonForms.kind(completion)
          + "; expected two strings or two lists of messages");
    }
    return new Completion(JsonForms.string(prompt, "prompt"), JsonForms.string(completion, "completion"));
  }

  /** A text has no place for a system message or for tools. */
  static void requireNoSystem(JsonNode node) {
    if (node.hasNonNull("system") && !node.get("system").asString("").isEmpty()) {
      throw new InvalidInputException("a system text beside a prompt that is no list of messages: write the prompt as messages");
    }
    if (!tools(node).isEmpty()) {
      throw new InvalidInputException("tools beside a prompt that is no list of messages: write the prompt as messages");
    }
  }

  static List<String> tools(JsonNode node) {
    List<String> tools = new ArrayList<>();
    for (JsonNode tool : JsonForms.list(node, "functions", "functions")) {
      if (!tool.isObject()) {
        throw new InvalidInputException("functions[" + tools.size() + "] is " + JsonForms.kind(tool) + "; expected an object");
      }
      tools.add(new ObjectNode().put("type", "function").set("function", tool).toString());
    }
    for (JsonNode tool : toolList(node)) {
      if (!tool.isObject()) {
        throw new InvalidInputException("tools[" + tools.size() + "] is " + JsonForms.kind(tool) + "; expected an object");
      }
      tools.add(tool.toString());
    }
    return tools;
  }

  /** The tools, which may be written as the text of a JSON list: tables with one type a column need that. */
  private static Iterable<JsonNode> toolList(JsonNode node) {
    JsonNode tools = node.get("tools");
    if (tools == null || !tools.isString()) {
      return JsonForms.list(node, "tools", "tools");
    } else if (tools.stringValue().isBlank()) {
      return List.of();
    }
    try {
      return JsonForms.list(new ObjectNode().set("tools", JsonForms.JSON.read(tools.stringValue())), "tools",
          "the JSON text in tools");
    } catch (JsonException e) {
      throw new InvalidInputException("tools is a text that is not JSON (" + JsonForms.excerpt(e.getMessage()) + "): "
          + JsonForms.excerpt(tools.stringValue()));
    }
  }
}
