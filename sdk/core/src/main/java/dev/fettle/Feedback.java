package dev.fettle;

import dev.fettle.internal.OneLine;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * An answer to a prompt and whether it was good, as a thumb up or down says it; {@link dev.fettle.recipes.Kto} learns from it,
 * and nothing else does. Immutable.
 *
 * @param answer the prompt and the answer: a {@link Completion}, or a conversation whose answer is what is
 *     {@link Message#trained()}; where nothing is, the assistant's message at its end
 * @param desirable whether the answer was good
 */
public record Feedback(Example answer, boolean desirable) implements Example {
  public Feedback {
    Objects.requireNonNull(answer, "answer");
    if (answer instanceof Conversation chat) {
      answer = answered(chat);
    } else if (!(answer instanceof Completion)) {
      throw new InvalidInputException("feedback on " + answer + "; give a conversation or a completion, so that prompt and answer "
          + "can be told apart");
    }
  }

  /** Feedback on an assistant's answer to a chat. */
  public static Feedback of(Conversation prompt, Message answer, boolean desirable) {
    List<Message> messages = new ArrayList<>();
    Objects.requireNonNull(prompt, "prompt").messages().forEach(m -> messages.add(m.withTrained(false)));
    messages.add(Objects.requireNonNull(answer, "answer").withTrained(true));
    return new Feedback(new Conversation(messages, prompt.tools()), desirable);
  }

  /** Feedback on an assistant's answer to a user's message. */
  public static Feedback of(String prompt, String answer, boolean desirable) {
    return of(Conversation.of(Message.user(Objects.requireNonNull(prompt, "prompt"))),
        Message.assistant(Objects.requireNonNull(answer, "answer")), desirable);
  }

  /** What a pair says of each of its answers: the chosen one is desirable, the rejected one is not. */
  public static List<Feedback> of(Preference pair) {
    Objects.requireNonNull(pair, "pair");
    return List.of(new Feedback(pair.chosen(), true), new Feedback(pair.rejected(), false));
  }

  private static Conversation answered(Conversation chat) {
    List<Message> messages = new ArrayList<>(chat.messages());
    if (messages.stream().noneMatch(Message::trained)) {
      int last = messages.size() - 1;
      messages.set(last, messages.get(last).withTrained(true));
    }
    if (messages.stream().anyMatch(m -> m.trained() && !m.role().equals("assistant"))) {
      throw new InvalidInputException("feedback on a conversation that does not end with an assistant's message; give the answer "
          + "that the feedback is on");
    }
    return new Conversation(messages, chat.tools());
  }

  @Override
  public String toString() {
    return OneLine.of("Feedback", (desirable ? "good: " : "bad: ") + answer);
  }
}
