package dev.fettle.recipes;

import dev.fettle.Conversation;
import dev.fettle.Message;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A prompt and how good an answer to it is: the environment of one turn. */
final class Question implements Environment {
  private final Conversation prompt;
  private final Reward reward;
  private @Nullable Message answer;

  Question(Conversation prompt, Reward reward) {
    this.prompt = prompt;
    this.reward = reward;
  }

  @Override
  public Conversation reset() {
    return prompt;
  }

  @Override
  public List<Message> step(Message said) {
    answer = said;
    return List.of();
  }

  @Override
  public double reward() {
    return reward.of(prompt, Objects.requireNonNull(answer, "answer"));
  }
}
