package dev.fettle;

import dev.fettle.internal.NoNulls;
import java.util.List;

/**
 * A chat. Immutable.
 *
 * @param messages the messages in order; at least one
 * @param tools the JSON texts that describe the tools an assistant may call, each one object; often empty
 */
public record Conversation(List<Message> messages, List<String> tools) implements Example {
  public Conversation {
    messages = List.copyOf(NoNulls.in(messages, "messages"));
    tools = List.copyOf(NoNulls.in(tools, "tools"));
    if (messages.isEmpty()) {
      throw new InvalidInputException("a conversation without messages");
    }
  }

  /** A conversation without tools. */
  public static Conversation of(Message... messages) {
    return new Conversation(List.of(NoNulls.in(messages, "messages")), List.of());
  }

  @Override
  public String toString() {
    return "Conversation[" + messages.size() + " messages" + (tools.isEmpty() ? "" : ", " + tools.size() + " tools") + "]";
  }
}
