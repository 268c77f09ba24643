package dev.fettle.internal.text;

import dev.fettle.Conversation;
import dev.fettle.Message;
import dev.fettle.ToolCall;
import dev.fettle.internal.json.JsonNode;
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
import java.util.Set;

/** A conversation as a template sees it, in the wording of transformers; each text knows whose it is. */
final class TemplateInput {
  /** What a message's reasoning is called. */
  static final List<String> REASONING = List.of("reasoning_content", "thinking", "reasoning");
  private static final Set<String> OWN = Set.of("role", "content", "tool_calls", "function_call");

  private final ChatTemplate template;
  private final Conversation conversation;
  private final boolean exact;
  private final List<Object> messages = new ArrayList<>();
  private final Map<String, Object> variables = new HashMap<>();
  private int characters;

  /**
   * What a template is given.
   *
   * @param exact whether messages look as their file has them; if not, as most templates take them: content is one text,
   *     arguments are objects, a role is one of the four, and reasoning has the name that the template reads
   * @param given the tokenizer's special tokens that have a name, and what the caller says
   */
  TemplateInput(Conversation conversation, ChatTemplate template, boolean exact, Map<String, Object> given) {
    this.conversation = conversation;
    this.template = template;
    this.exact = exact;
    for (int i = 0; i < conversation.messages().size(); i++) {
      messages.add(message(i));
    }
    List<Object> tools = new ArrayList<>();
    for (String tool : conversation.tools()) {
      tools.add(JsonValues.of(ToolCalls.tool(tool), new Origin(Origin.NOBODY, Field.TOOLS)));
      characters += tool.length();
    }
    variables.put("tools", tools.isEmpty() ? null : Seq.list(tools));
    variables.put("documents", null);
    variables.putAll(given);
  }

  /** Whether there is another way to give this conversation than the exact one. */
  static boolean hasForms(Conversation conversation, ChatTemplate template) {
    boolean thinks = REASONING.stream().anyMatch(template::reads);
    return conversation.messages().stream().anyMatch(message -> isWhole(message)
        || thinks && !message.reasoning().isEmpty() && !template.reads(called(message)));
  }

  /** What a message's file calls its reasoning. */
  private static String called(Message message) {
    return REASONING.stream().filter(message.fields()::containsKey).findFirst().orElse(REASONING.get(0));
  }

  private static boolean isWhole(Message message) {
    return message.fields().containsKey("role");
  }

  private Dict message(int index) {
    Message message = conversation.messages().get(index);
    boolean whole = exact && isWhole(message);
    Dict dict = new Dict(index);
    if (!whole) {
      dict.put("role", Text.of(message.role(), new Origin(index, Field.ROLE)))
          .put("content", Text.of(message.content(), new Origin(index, Field.CONTENT)));
    }
    characters += message.content().length() + message.reasoning().length();
    message.fields().forEach((name, value) -> {
      if (whole || !OWN.contains(name)) {
        put(dict, index, name, value);
      }
    });
    if (!message.reasoning().isEmpty() && REASONING.stream().noneMatch(message.fields()::containsKey)) {
      dict.put(reasoning(REASONING.get(0)), Text.of(message.reasoning(), new Origin(index, Field.REASONING)));
    }
    if (!message.toolCalls().isEmpty()) {
      List<Object> calls = new ArrayList<>();
      for (ToolCall call : message.toolCalls()) {
        calls.add(call(index, call));
        characters += call.arguments().length() + call.name().length();
      }
      if (!whole || !message.fields().containsKey("tool_calls") && !message.fields().containsKey("function_call")) {
        dict.put("tool_calls", Seq.list(calls));
      }
    }
    ToolCall answered = !whole && message.role().equals("tool") && !message.fields().containsKey("tool_call_id")
        ? answered(conversation.messages(), index) : null;
    if (answered != null && !answered.id().isEmpty()) {
      dict.put("tool_call_id", Text.of(answered.id(), new Origin(index, Field.OTHER)));
    }
    return dict;
  }

  private void put(Dict dict, int index, String name, Object value) {
    Field field = switch (name) {
      case "role" -> Field.ROLE;
      case "content" -> Field.CONTENT;
      case "tool_calls", "function_call" -> Field.TOOL_CALLS;
      default -> REASONING.contains(name) ? Field.REASONING : Field.OTHER;
    };
    Origin origin = new Origin(index, field);
    Object given = JsonValues.of(JsonNode.of(value), origin);
    characters += given instanceof Text text ? text.chars().length() : 0;
    String key = field == Field.REASONING ? reasoning(name) : name;
    dict.put(Text.of(key, field == Field.OTHER ? origin : Origin.TEMPLATE), given);
  }

  /** The name under which the template reads reasoning that data give under another. */
  private String reasoning(String name) {
    return exact || template.reads(name) ? name : REASONING.stream().filter(template::reads).findFirst().orElse(name);
  }

  private Dict call(int index, ToolCall call) {
    Origin origin = new Origin(index, Field.TOOL_CALLS);
    Dict function = new Dict().put("name", Text.of(call.name(), origin))
        .put("arguments", JsonValues.of(ToolCalls.arguments("template", conversation, index, call), origin));
    Dict dict = call.id().isEmpty() ? new Dict() : new Dict().put("id", Text.of(call.id(), origin));
    return dict.put("type", Text.of("function", Origin.TEMPLATE)).put("function", function);
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
