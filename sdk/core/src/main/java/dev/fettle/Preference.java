package dev.fettle;

import dev.fettle.internal.OneLine;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * Two answers to a prompt, one of which is better; {@link dev.fettle.recipes.PreferenceRecipe} and
 * {@link dev.fettle.recipes.RewardModel} learn from it, and nothing else does. Immutable.
 *
 * <p>Both are conversations, with the same tools, or both completions of one prompt. Of conversations the answer is what
 * follows the messages that both begin with, at least the last message: there the assistant's messages are
 * {@link Message#trained()}, and no others.
 *
 * @param chosen the prompt and the better answer
 * @param rejected the prompt and the worse answer
 */
public record Preference(Example chosen, Example rejected) implements Example {
  public Preference {
    Objects.requireNonNull(chosen, "chosen");
    Objects.requireNonNull(rejected, "rejected");
    if (chosen instanceof Conversation better && rejected instanceof Conversation worse) {
      if (!better.tools().equals(worse.tools())) {
        throw new InvalidInputException("chosen and rejected have different tools; give both the same");
      }
      int prompt = common(better.messages(), worse.messages());
      chosen = answered(better, prompt, "chosen");
      rejected = answered(worse, prompt, "rejected");
    } else if (!(chosen instanceof Completion better && rejected instanceof Completion worse
        && better.prompt().equals(worse.prompt()))) {
      throw new InvalidInputException("chosen is " + chosen + " and rejected is " + rejected
          + "; give two conversations, or two completions of one prompt");
    }
  }

  /** Two answers to a chat. */
  public static Preference of(Conversation prompt, Message chosen, Message rejected) {
    return new Preference(with(Objects.requireNonNull(prompt, "prompt"), Objects.requireNonNull(chosen, "chosen")),
        with(prompt, Objects.requireNonNull(rejected, "rejected")));
  }

  /** An assistant's two answers to a user's message. */
  public static Preference of(String prompt, String chosen, String rejected) {
    return of(Conversation.of(Message.user(Objects.requireNonNull(prompt, "prompt"))),
        Message.assistant(Objects.requireNonNull(chosen, "chosen")),
        Message.assistant(Objects.requireNonNull(rejected, "rejected")));
  }

  private static Conversation with(Conversation prompt, Message answer) {
    List<Message> messages = new ArrayList<>(prompt.messages());
    messages.add(answer);
    return new Conversation(messages, prompt.tools());
  }

  private static int common(List<Message> chosen, List<Message> rejected) {
    int most = Math.min(chosen.size(), rejected.size()) - 1;
    int common = 0;
    while (common < most && same(chosen.get(common), rejected.get(common))) {
      common++;
    }
    if (chosen.get(common).role().equals("user") && rejected.get(common).role().equals("user")) {
      throw new InvalidInputException(common == most ? "chosen and rejected have no answer after the user's message"
          : "chosen and rejected answer different messages of the user; give two answers to the same");
    }
    return common;
  }

  /** Whether two messages say the same, whatever else is noted of them. */
  private static boolean same(Message a, Message b) {
    return a.role().equals(b.role()) && a.content().equals(b.content()) && a.reasoning().equals(b.reasoning())
        && a.toolCalls().equals(b.toolCalls());
  }

  private static Conversation answered(Conversation whole, int prompt, String name) {
    List<Message> messages = new ArrayList<>();
    for (int i = 0; i < whole.messages().size(); i++) {
      Message message = whole.messages().get(i);
      messages.add(message.withTrained(i >= prompt && message.role().equals("assistant")));
    }
    if (messages.stream().noneMatch(Message::trained)) {
      throw new InvalidInputException(name + " has no assistant's message after what chosen and rejected begin with");
    }
    return new Conversation(messages, whole.tools());
  }

  @Override
  public String toString() {
    return OneLine.of("Preference", chosen + " over " + rejected);
  }
}
