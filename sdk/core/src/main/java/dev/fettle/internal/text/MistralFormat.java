package dev.fettle.internal.text;

import dev.fettle.Conversation;
import dev.fettle.InvalidInputException;
import dev.fettle.Message;
import dev.fettle.Tokenizer;
import dev.fettle.ToolCall;
import dev.fettle.internal.json.JsonException;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.json.JsonReader;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Mistral Nemo (v3 Tekken): no roles but brackets, system message and tools before the last user message. */
record MistralFormat() implements PiecesFormat {
  private static final String CALLS = "[TOOL_CALLS]";

  @Override
  public String family() {
    return "mistral";
  }

  @Override
  public List<String> needs() {
    return List.of("[INST]", "[/INST]");
  }

  /** System message and tools move with the last user message. */
  @Override
  public boolean rewritesHistory() {
    return true;
  }

  @Override
  public void write(Conversation conversation, boolean generate, Pieces out) {
    check(conversation);
    List<Message> messages = conversation.messages();
    boolean system = messages.get(0).role().equals("system");
    int lastUser = 0;
    for (int i = 0; i < messages.size(); i++) {
      lastUser = messages.get(i).role().equals("user") ? i : lastUser;
    }
    out.bos();
    for (int i = system ? 1 : 0; i < messages.size(); i++) {
      Message message = messages.get(i);
      out.message(i);
      switch (message.role()) {
        case "user" -> {
          if (i == lastUser) {
            // The Jinja template also puts them before an earlier message of the very same text, by accident.
            writeTools(conversation, out);
          }
          out.headerToken("[INST]");
          if (i == lastUser && system) {
            out.message(0).output(messages.get(0).content() + "\n\n").message(i);
          }
          out.output(message.content()).outputToken("[/INST]");
        }
        case "tool" -> out.headerToken("[TOOL_RESULTS]").output("{\"content\": " + message.content()
            + ", \"call_id\": \"" + callId(conversation, i) + "\"}").outputToken("[/TOOL_RESULTS]");
        default -> writeAssistant(conversation, i, out);
      }
    }
  }

  private void check(Conversation conversation) {
    Refusals.noReasoning(family(), conversation);
    Refusals.toolCallsOnlyByAssistants(family(), conversation);
    List<Message> messages = conversation.messages();
    boolean user = true;
    for (int i = 0; i < messages.size(); i++) {
      Message message = messages.get(i);
      if (message.role().equals("system")) {
        if (i > 0) {
          throw Refusals.refuse(family(), conversation, i, "a system message can only be the first");
        }
      } else if (!message.role().equals("tool") && message.toolCalls().isEmpty()) {
        if (message.role().equals("user") != user) {
          throw Refusals.refuse(family(), conversation, i,
              "user and assistant must alternate, the user first; expected " + (user ? "user" : "assistant"));
        }
        user = !user;
      }
    }
    if (messages.stream().noneMatch(message -> message.role().equals("user"))) {
      throw new InvalidInputException("a conversation without a user message [chat format mistral]");
    }
  }

  private static void writeTools(Conversation conversation, Pieces out) {
    if (conversation.tools().isEmpty()) {
      return;
    }
    List<String> parts = new ArrayList<>();
    for (String tool : conversation.tools()) {
      JsonNode function = ToolCalls.tool(tool).path("function");
      if (!function.isObject()) {
        throw new InvalidInputException("a tool without an object \"function\" [chat format mistral]: " + tool);
      }
      List<String> fields = new ArrayList<>();
      for (Map.Entry<String, JsonNode> field : function.properties()) {
        if (!field.getKey().equals("return")) {
          // The template prints texts raw, without escapes.
          fields.add("\"" + field.getKey() + "\": " + (field.getValue().isString()
              ? "\"" + field.getValue().asString() + "\"" : PythonJson.compact(field.getValue())));
        }
      }
      parts.add("{\"type\": \"function\", \"function\": {" + String.join(", ", fields) + "}}");
    }
    out.headerToken("[AVAILABLE_TOOLS]").header("[" + String.join(", ", parts) + "]")
        .headerToken("[/AVAILABLE_TOOLS]");
  }

  private void writeAssistant(Conversation conversation, int index, Pieces out) {
    Message message = conversation.messages().get(index);
    if (message.toolCalls().isEmpty()) {
      out.output(message.content()).eos();
      return;
    }
    if (!message.content().isEmpty()) {
      throw Refusals.refuse(family(), conversation, index,
          "the format has no text beside a tool call: make the content empty");
    }
    List<String> calls = new ArrayList<>();
    for (ToolCall call : message.toolCalls()) {
      if (call.id().length() != 9) {
        throw Refusals.refuse(family(), conversation, index,
            "the id \"" + call.id() + "\" of a tool call must have 9 letters or digits");
      }
      calls.add("{\"name\": " + PythonJson.quote(call.name()) + ", \"arguments\": "
          + PythonJson.compact(ToolCalls.arguments(family(), conversation, index, call)) + ", \"id\": \"" + call.id()
          + "\"}");
    }
    out.outputToken(CALLS).output("[" + String.join(", ", calls) + "]").eos();
  }

  /** Answers come in the order of the calls. */
  private String callId(Conversation conversation, int index) {
    List<Message> messages = conversation.messages();
    int first = index;
    while (first > 0 && messages.get(first - 1).role().equals("tool")) {
      first--;
    }
    List<ToolCall> calls = first == 0 ? List.of() : messages.get(first - 1).toolCalls();
    if (index - first >= calls.size()) {
      throw Refusals.refuse(family(), conversation, index, "no tool call before it that this could answer");
    }
    return calls.get(index - first).id();
  }

  @Override
  public List<Integer> stopTokens(Tokenizer tokenizer) {
    return tokenizer.eos().stream().boxed().toList();
  }

  @Override
  public boolean parsesSpecials() {
    return true;
  }

  @Override
  public Message parse(String text) {
    int at = text.indexOf(CALLS);
    if (at < 0) {
      return Message.assistant(text);
    }
    List<ToolCall> calls = new ArrayList<>();
    try {
      for (JsonNode node : JsonReader.STANDARD.read(text.substring(at + CALLS.length()))) {
        ToolCall call = ToolCalls.call(node, "arguments");
        if (call != null) {
          calls.add(call);
        }
      }
    } catch (JsonException e) {
      return Message.assistant(text);
    }
    return calls.isEmpty() ? Message.assistant(text)
        : Message.assistant(text.substring(0, at)).withToolCalls(calls.toArray(ToolCall[]::new));
  }
}
