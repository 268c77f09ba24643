package dev.fettle.recipes;

import dev.fettle.Conversation;
import dev.fettle.Message;

/** How good an answer is. */
@FunctionalInterface
public interface Reward {
  /**
   * The reward of an answer: any finite number, the more the better.
   *
   * @param prompt what was asked
   * @param answer the assistant's message that was sampled
   */
  double of(Conversation prompt, Message answer);
}
