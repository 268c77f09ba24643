package dev.fettle.internal.text;

import dev.fettle.Conversation;
import dev.fettle.Message;
import dev.fettle.ToolCall;
import dev.fettle.internal.template.ChatTemplate;
import dev.fettle.internal.template.Dict;
import dev.fettle.internal.template.JsonValues;
import dev.fettle.internal.template.Origin;
import dev.fettle.internal.template.Origin.Field;
import dev.fettle.internal.template.Seq;
import dev.fettle.internal.template.Text;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A conversation as a template sees it, in the wording of transformers; each text knows whose it is. */
final class TemplateInput {
  private static final List<String> REASONING = List.of("reasoning_content", "thinking", "reasoning");

  private final List<Object> messages = new ArrayList<>();
  private final Map<String, Object> variables = new HashMap<>();
  private int characters;

  /** @param tokens the tokenizer's special tokens that have a name */
  TemplateInput(Conversation conversation, ChatTemplate template, Map<String, String> tokens) {
    String reasoning = REASONING.stream().filter(template::mentions).findFirst().orElse(REASONING.get(0));
    for (int i = 0; i < conversation.messages().size(); i++) {
      messages.add(message(conversation, i, reasoning));
    }
    List<Object> tools = new ArrayList<>();
    for (String tool : conversation.tools()) {
      tools.add(JsonValues.of(ToolCalls.tool(tool), new Origin(Origin.NOBODY, Field.TOOLS)));
      characters += tool.length();
    }
    tokens.forEach((name, token) -> variables.put(name, Text.of(token, Origin.TEMPLATE)));
    variables.put("tools", tools.isEmpty() ? null : Seq.list(tools));
    variables.put("documents", null);
  }

  private Dict message(Conversation conversation, int index, String reasoningKey) {
    Message message = conversation.messages().get(index);
    Dict dict = new Dict(index).put("role", Text.of(message.role(), new Origin(index, Field.ROLE)))
        .put("content", Text.of(message.content(), new Origin(index, Field.CONTENT)));
    characters += message.content().length() + message.reasoning().length();
    if (!message.reasoning().isEmpty()) {
      dict.put(reasoningKey, Text.of(message.reasoning(), new Origin(index, Field.REASONING)));
    }
    if (!message.toolCalls().isEmpty()) {
      List<Object> calls = new ArrayList<>();
      for (ToolCall call : message.toolCalls()) {
        calls.add(call(conversation, index, call));
        characters += call.arguments().length() + call.name().length();
      }
      dict.put("tool_calls", Seq.list(calls));
    }
    ToolCall answered = message.role().equals("tool") ? answered(conversation.messages(), index) : null;
    if (answered != null && !answered.id().isEmpty()) {
      dict.put("tool_call_id", Text.of(answered.id(), new Origin(index, Field.OTHER)));
    }
    return dict;
  }

  private static Dict call(Conversation conversation, int index, ToolCall call) {
    Origin origin = new Origin(index, Field.TOOL_CALLS);
    Dict function = new Dict().put("name", Text.of(call.name(), origin))
        .put("arguments", JsonValues.of(ToolCalls.arguments("template", conversation, index, call), origin));
    Dict dict = new Dict().put("type", Text.of("function", Origin.TEMPLATE)).put("function", function);
    return call.id().isEmpty() ? dict : dict.put("id", Text.of(call.id(), origin));
  }

  /** The call that a tool's message answers: answers come in the order of the calls. */
  private static ToolCall answered(List<Message> messages, int index) {
    int first = index;
    while (first > 0 && messages.get(first - 1).role().equals("tool")) {
      first--;
    }
    List<ToolCall> calls = first == 0 ? List.of() : messages.get(first - 1).toolCalls();
    return index - first < calls.size() ? calls.get(index - first) : null;
  }

  /** About how many characters all of it has. */
  int characters() {
    return characters;
  }

  /** What the template is given for the first messages. */
  Map<String, Object> until(int count, boolean generate) {
    Map<String, Object> result = new HashMap<>(variables);
    result.put("messages", Seq.list(messages.subList(0, count)));
    result.put("add_generation_prompt", generate);
    return result;
  }
}
