package dev.fettle;

import dev.fettle.internal.NoNulls;
import java.util.List;
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
 */
public record Message(String role, String content, String reasoning, List<ToolCall> toolCalls, boolean trained,
    boolean excluded) {
  public Message {
    Objects.requireNonNull(role, "role");
    Objects.requireNonNull(content, "content");
    Objects.requireNonNull(reasoning, "reasoning");
    toolCalls = List.copyOf(NoNulls.in(toolCalls, "toolCalls"));
    if (!List.of("system", "user", "assistant", "tool").contains(role)) {
      throw new InvalidInputException("role \"" + role + "\" is not one of system, user, assistant, tool");
    }
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
    return new Message(role, content, Objects.requireNonNull(text, "text"), toolCalls, trained, excluded);
  }

  /** This message with tool calls. */
  public Message withToolCalls(ToolCall... calls) {
    return new Message(role, content, reasoning, List.of(NoNulls.in(calls, "calls")), trained, excluded);
  }

  /** This message, trained or not under {@link TrainOn#CUSTOMIZED}. */
  public Message withTrained(boolean value) {
    return new Message(role, content, reasoning, toolCalls, value, excluded);
  }

  /** This message, excluded from training or not. */
  public Message withExcluded(boolean value) {
    return new Message(role, content, reasoning, toolCalls, trained, value);
  }

  @Override
  public String toString() {
    return "Message[" + role + ", " + content.length() + " characters]";
  }
}
