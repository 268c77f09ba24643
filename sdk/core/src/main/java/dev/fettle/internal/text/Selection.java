package dev.fettle.internal.text;

import dev.fettle.Conversation;
import dev.fettle.InvalidInputException;
import dev.fettle.Message;
import dev.fettle.TrainOn;
import java.util.BitSet;
import java.util.List;

/** Which messages of a conversation are trained. */
final class Selection {
  private Selection() {}

  static BitSet of(Conversation conversation, TrainOn parts) {
    List<Message> messages = conversation.messages();
    int last = messages.size() - 1;
    if (parts == TrainOn.LAST_ASSISTANT_MESSAGE && !assistant(messages, last)) {
      throw new InvalidInputException("the last message is of the role " + messages.get(last).role()
          + ", not assistant: end the conversation with the answer to learn, or choose other parts with trainOn,"
          + " such as TrainOn.ALL_ASSISTANT_MESSAGES");
    }
    int lastUser = -1;
    for (int i = 0; i <= last; i++) {
      lastUser = messages.get(i).role().equals("user") ? i : lastUser;
    }
    BitSet trained = new BitSet();
    for (int i = 0; i <= last; i++) {
      String role = messages.get(i).role();
      trained.set(i, !messages.get(i).excluded() && switch (parts) {
        case LAST_ASSISTANT_MESSAGE -> i == last;
        case LAST_ASSISTANT_TURN -> assistant(messages, i) && i > lastUser;
        case ALL_ASSISTANT_MESSAGES -> assistant(messages, i);
        case ALL_MESSAGES, ALL_TOKENS -> true;
        case ALL_USER_AND_SYSTEM_MESSAGES -> role.equals("user") || role.equals("system");
        case CUSTOMIZED -> messages.get(i).trained();
      });
    }
    if (trained.isEmpty()) {
      throw new InvalidInputException("nothing to learn: " + parts + " selects none of the " + messages.size()
          + " messages; choose other parts with trainOn");
    }
    return trained;
  }

  static boolean assistant(List<Message> messages, int index) {
    return messages.get(index).role().equals("assistant");
  }
}
