package dev.fettle.internal.text;

import dev.fettle.Conversation;
import dev.fettle.InvalidInputException;
import dev.fettle.Message;
import java.util.List;

/** Checks that several formats share: what cannot be written is refused, never dropped. */
final class Refusals {
  private Refusals() {}

  static InvalidInputException refuse(String family, Conversation conversation, int index, String problem) {
    Message message = conversation.messages().get(index);
    return new InvalidInputException("message " + (index + 1) + " of " + conversation.messages().size() + " ("
        + message.role() + "): " + problem + " [chat format " + family + "]");
  }

  static void noTools(String family, Conversation conversation) {
    if (!conversation.tools().isEmpty()) {
      throw new InvalidInputException("the chat format " + family + " has no place for tools, but the conversation has "
          + conversation.tools().size() + ": remove them or choose a format with tools");
    }
    List<Message> messages = conversation.messages();
    for (int i = 0; i < messages.size(); i++) {
      if (messages.get(i).role().equals("tool")) {
        throw refuse(family, conversation, i, "the format has no tool answers");
      }
      if (!messages.get(i).toolCalls().isEmpty()) {
        throw refuse(family, conversation, i, "the format has no tool calls");
      }
    }
  }

  static void toolCallsOnlyByAssistants(String family, Conversation conversation) {
    List<Message> messages = conversation.messages();
    for (int i = 0; i < messages.size(); i++) {
      if (!messages.get(i).toolCalls().isEmpty() && !messages.get(i).role().equals("assistant")) {
        throw refuse(family, conversation, i, "only an assistant calls tools");
      }
    }
  }

  static void reasoningOnlyByAssistants(String family, Conversation conversation) {
    List<Message> messages = conversation.messages();
    for (int i = 0; i < messages.size(); i++) {
      if (!messages.get(i).reasoning().isEmpty() && !messages.get(i).role().equals("assistant")) {
        throw refuse(family, conversation, i, "only an assistant has reasoning");
      }
    }
  }

  static void noReasoning(String family, Conversation conversation) {
    List<Message> messages = conversation.messages();
    for (int i = 0; i < messages.size(); i++) {
      if (!messages.get(i).reasoning().isEmpty()) {
        throw refuse(family, conversation, i, "the format has no place for reasoning: remove it with"
            + " withReasoning(\"\") or choose a format that thinks");
      }
    }
  }
}
