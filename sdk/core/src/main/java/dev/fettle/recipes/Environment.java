package dev.fettle.recipes;

import dev.fettle.Conversation;
import dev.fettle.Message;
import dev.fettle.ToolCall;
import dev.fettle.internal.NoNulls;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;

/**
 * What a model talks to in several turns, such as a user, a game or tools, and how good the whole was; {@link Grpo} learns in
 * it. One object plays one episode at a time: {@link #reset}, then {@link #step} after each of the model's turns until it
 * replies nothing, then {@link #reward}. All calls come from the thread of {@link Grpo#run()}, those of many episodes in turn.
 *
 * <p>A game: the model has three guesses, and is told whether the number is higher.
 *
 * <pre>{@code
 * record Higher(int number, List<Integer> guesses) implements Environment {
 *   Higher(int number) {
 *     this(number, new ArrayList<>());
 *   }
 *
 *   public Conversation reset() {
 *     guesses.clear();
 *     return Conversation.of(Message.user("I think of a number from 1 to 9. Which?"));
 *   }
 *
 *   public List<Message> step(Message answer) {
 *     String digits = answer.content().replaceAll("\\D", "");
 *     guesses.add(digits.isEmpty() ? 0 : digits.charAt(0) - '0');
 *     int guess = guesses.get(guesses.size() - 1);
 *     return guess == number || guesses.size() == 3 ? List.of()
 *         : List.of(Message.user(guess < number ? "It is higher." : "It is lower."));
 *   }
 *
 *   public double reward() {
 *     return guesses.contains(number) ? 1.0 / guesses.size() : 0;
 *   }
 * }
 *
 * Run run = Grpo.on(training).environments(List.of(1, 2, 3, 4, 5, 6, 7, 8, 9), Higher::new).steps(100).run();
 * }</pre>
 */
public interface Environment {
  /** Begins an episode and gives what the model reads first, tools included. */
  Conversation reset();

  /**
   * Takes a turn of the model and replies: with users' messages or tools' answers, which the model reads before its next
   * turn, or with nothing, which ends the episode. What it replies to a turn that a limit cut off, or to the last one that
   * the limits allow, is not read.
   *
   * @param answer the assistant's message, with reasoning and tool calls split off where the chat format has them
   */
  List<Message> step(Message answer);

  /** How good the episode was, asked once at its end: any finite number, the more the better. */
  double reward();

  /**
   * An environment of tools: each call is answered, and the episode ends with the first message that calls nothing.
   *
   * @param prompt what the model reads first, with the descriptions of the tools
   * @param tools answers a call; what it throws ends the run, so say in the answer what was wrong with the arguments
   * @param reward how good the whole conversation was, the model's last message being its end
   */
  static Environment withTools(Conversation prompt, Function<ToolCall, String> tools, ToDoubleFunction<Conversation> reward) {
    Objects.requireNonNull(prompt, "prompt");
    Objects.requireNonNull(tools, "tools");
    Objects.requireNonNull(reward, "reward");
    List<Message> said = new ArrayList<>();
    return new Environment() {
      @Override
      public Conversation reset() {
        said.clear();
        said.addAll(prompt.messages());
        return prompt;
      }

      @Override
      public List<Message> step(Message answer) {
        said.add(answer);
        List<Message> replies = answer.toolCalls().stream().map(call -> answered(call, tools)).toList();
        said.addAll(replies);
        return replies;
      }

      @Override
      public double reward() {
        int last = said.size();
        while (last > 0 && said.get(last - 1).role().equals("tool")) {
          last--;
        }
        return reward.applyAsDouble(new Conversation(said.subList(0, last), prompt.tools()));
      }
    };
  }

  private static Message answered(ToolCall call, Function<ToolCall, String> tools) {
    Message answer = Message.tool(NoNulls.given(tools.apply(call), "tools", call.name())).withName(call.name());
    return call.id().isEmpty() ? answer : answer.withToolCallId(call.id());
  }
}
