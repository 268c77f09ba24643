package dev.fettle;

import dev.fettle.internal.NoNulls;
import dev.fettle.internal.PlainValues;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * One message of a conversation. Immutable.
 *
 * @param role {@code system}, {@code user}, {@code assistant} or {@code tool}
 * @param content the text; empty where an assistant only calls tools
 * @param reasoning what an assistant thought before it answered; empty if nothing is known of it
 * @param toolCalls the calls that an assistant makes
 * @param trained whether {@link TrainOn#CUSTOMIZED} trains on this message
 * @param excluded whether this message is not trained even where all of an assistant's are, as OpenAI's weight 0 means
 * @param fields what else a chat template may read in it, by name, such as {@code name} and {@code tool_call_id}: texts,
 *     numbers, truth values, null, lists and maps of these. Where a {@code role} is among them, they are all that a template
 *     sees, as a file had it (content in parts, arguments as text); reasoning and calls that they lack come from the others
 */
public record Message(String role, String content, String reasoning, List<ToolCall> toolCalls, boolean trained,
    boolean excluded, Map<String, Object> fields) {
  private static final String NAME = "name";
  private static final String TOOL_CALL_ID = "tool_call_id";

  public Message {
    Objects.requireNonNull(role, "role");
    Objects.requireNonNull(content, "content");
    Objects.requireNonNull(reasoning, "reasoning");
    toolCalls = List.copyOf(NoNulls.in(toolCalls, "toolCalls"));
    fields = PlainValues.copy(fields, "fields");
    if (!List.of("system", "user", "assistant", "tool").contains(role)) {
      throw new InvalidInputException("role \"" + role + "\" is not one of system, user, assistant, tool");
    }
  }

  /** A message without further fields. */
  public Message(String role, String content, String reasoning, List<ToolCall> toolCalls, boolean trained, boolean excluded) {
    this(role, content, reasoning, toolCalls, trained, excluded, Map.of());
  }

  /** A message that is not excluded from training. */
  public Message(String role, String content, String reasoning, List<ToolCall> toolCalls, boolean trained) {
    this(role, content, reasoning, toolCalls, trained, false);
  }

  /** A message with a role and a text. */
  public static Message of(String role, String content) {
    return new Message(role, content, "", List.of(), false);
  }

  /** A system message. */
  public static Message system(String content) {
    return of("system", content);
  }

  /** A user's message. */
  public static Message user(String content) {
    return of("user", content);
  }

  /** An assistant's message. */
  public static Message assistant(String content) {
    return of("assistant", content);
  }

  /** A tool's answer. */
  public static Message tool(String content) {
    return of("tool", content);
  }

  /** This message with the assistant's reasoning. */
  public Message withReasoning(String text) {
    return new Message(role, content, Objects.requireNonNull(text, "text"), toolCalls, trained, excluded,
        without("reasoning_content", "thinking", "reasoning"));
  }

  /** This message with tool calls. */
  public Message withToolCalls(ToolCall... calls) {
    return new Message(role, content, reasoning, List.of(NoNulls.in(calls, "calls")), trained, excluded,
        without("tool_calls", "function_call"));
  }

  /** This message, trained or not under {@link TrainOn#CUSTOMIZED}. */
  public Message withTrained(boolean value) {
    return new Message(role, content, reasoning, toolCalls, value, excluded, fields);
  }

  /** This message, excluded from training or not. */
  public Message withExcluded(boolean value) {
    return new Message(role, content, reasoning, toolCalls, trained, value, fields);
  }

  /** This message with a name, as a tool's answer has that of the tool. */
  public Message withName(String name) {
    return withField(NAME, Objects.requireNonNull(name, "name"));
  }

  /** This message as the answer to the call that has this id. */
  public Message withToolCallId(String id) {
    return withField(TOOL_CALL_ID, Objects.requireNonNull(id, "id"));
  }

  /**
   * This message with one field more that a chat template may read.
   *
   * @param value a text, a number, a truth value, null, or a list or map of these
   * @throws InvalidInputException if it is something else, or if the field is one that this class has: set that
   */
  public Message withField(String field, Object value) {
    Objects.requireNonNull(field, "field");
    if (List.of("role", "content", "tool_calls").contains(field)) {
      throw new InvalidInputException("field \"" + field + "\" is part of each message: set it as such");
    }
    Map<String, Object> more = new LinkedHashMap<>(fields);
    more.put(field, value);
    return new Message(role, content, reasoning, toolCalls, trained, excluded, more);
  }

  /** The name of who speaks, or of the tool that answers; empty if there is none. */
  public String name() {
    return fields.get(NAME) instanceof String text ? text : "";
  }

  /** The id of the call that a tool answers; empty if there is none. */
  public String toolCallId() {
    return fields.get(TOOL_CALL_ID) instanceof String text ? text : "";
  }

  private Map<String, Object> without(String... names) {
    Map<String, Object> rest = new LinkedHashMap<>(fields);
    rest.keySet().removeAll(List.of(names));
    return rest;
  }

  @Override
  public String toString() {
    return "Message[" + role + ", " + content.length() + " characters]";
  }
}
