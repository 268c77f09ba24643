package dev.fettle.internal.text;

import dev.fettle.Conversation;
import dev.fettle.InvalidInputException;
import dev.fettle.Message;
import dev.fettle.internal.Status;
import dev.fettle.internal.template.Origin.Field;
import dev.fettle.internal.template.Text;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** What a template leaves out of a conversation: refused where it was to be learnt, said once where it was not. */
final class Omissions {
  private final Set<String> said = ConcurrentHashMap.newKeySet();

  /** Refuses a trained message of which the template writes only a part. */
  static void refuseIn(Conversation conversation, int index, Text text) {
    Message message = conversation.messages().get(index);
    String missing = !message.content().isBlank() && !has(text, index, Field.CONTENT) ? "its content"
        : !message.reasoning().isBlank() && !has(text, index, Field.REASONING) ? "its reasoning"
        : !message.toolCalls().isEmpty() && !has(text, index, Field.TOOL_CALLS) ? "its tool calls" : null;
    if (missing != null) {
      throw new InvalidInputException("message " + (index + 1) + " of " + conversation.messages().size() + " (" + message.role()
          + ") is to be trained, but the model's chat template does not write " + missing
          + ": remove what the model has no place for, or choose other parts with trainOn");
    }
  }

  /** Says what else of messages is lost, once for each kind. History may lose its reasoning: that is how such models are trained. */
  void tell(Conversation conversation, Text text) {
    lost(conversation, text).forEach(this::say);
  }

  /** Says that tools are lost, once. */
  void tellTools() {
    say("descriptions of tools");
  }

  /** Whether the tools are written, if there are any. */
  static boolean hasTools(Conversation conversation, Text text) {
    return conversation.tools().isEmpty() || has(text, -1, Field.TOOLS);
  }

  /** How much of the messages is lost, or written as Python writes a list. */
  static int count(Conversation conversation, Text text) {
    int count = lost(conversation, text).size();
    for (int run = 0; run < text.runs(); run++) {
      count += text.origin(run).field() == Field.COMPUTED && text.chars().startsWith("[{'", text.start(run)) ? 1 : 0;
    }
    for (int i = 0; i < conversation.messages().size(); i++) {
      count += !conversation.messages().get(i).reasoning().isBlank() && !has(text, i, Field.REASONING) ? 1 : 0;
    }
    return count;
  }

  private static List<String> lost(Conversation conversation, Text text) {
    List<String> lost = new ArrayList<>();
    for (int i = 0; i < conversation.messages().size(); i++) {
      Message message = conversation.messages().get(i);
      if (!message.content().isBlank() && !has(text, i, Field.CONTENT)) {
        lost.add("the content of messages of the role " + message.role());
      }
      if (!message.toolCalls().isEmpty() && !has(text, i, Field.TOOL_CALLS)) {
        lost.add("tool calls");
      }
    }
    return lost;
  }

  private void say(String what) {
    if (said.add(what)) {
      Status.say("the model's chat template leaves out " + what + " of this conversation; it is said once");
    }
  }

  private static boolean has(Text text, int message, Field field) {
    for (int run = 0; run < text.runs(); run++) {
      if (text.origin(run).message() == message && text.origin(run).field() == field) {
        return true;
      }
    }
    return false;
  }
}
