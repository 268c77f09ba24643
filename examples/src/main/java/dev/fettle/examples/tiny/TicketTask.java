package dev.fettle.examples.tiny;

import dev.fettle.Conversation;
import dev.fettle.InvalidInputException;
import dev.fettle.Message;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;

/**
 * The task of the quickstart: a customer writes freely, the answer is one line of the shop's command language, such as
 * {@code refund item: blue lamp, reason: broken}. The base model answers in English and has never seen a command.
 *
 * <p>Held-out cases use things, names and numbers that occur in no training example. Everything is a function of its
 * arguments.
 */
public final class TicketTask {
  private TicketTask() {}

  /**
   * Training examples, all different: a user's message and the command as the assistant's.
   *
   * @throws InvalidInputException if {@code n} is less than 1
   */
  public static List<Conversation> train(int n, long seed) {
    return examples(n, seed, Phrases.Part.TRAIN);
  }

  /**
   * Held-out cases, all different and with values that {@link #train} never uses.
   *
   * @throws InvalidInputException if {@code n} is less than 1
   */
  public static List<Conversation> heldOut(int n, long seed) {
    return examples(n, ~seed, Phrases.Part.HELD_OUT);
  }

  private static List<Conversation> examples(int n, long seed, Phrases.Part part) {
    if (n < 1) {
      throw new InvalidInputException("n = " + n + ": ask for at least one example");
    }
    Phrases phrases = Phrases.of(part);
    List<String> templates = Phrases.lines("tickets.txt");
    Random random = new Random(seed);
    Set<String> seen = new LinkedHashSet<>();
    List<Conversation> examples = new ArrayList<>();
    for (int i = 0; examples.size() < n; i++) {
      String[] turns = phrases.scene(random).say(templates.get(i % templates.size())).split(" => ");
      if (seen.add(turns[0])) {
        examples.add(Conversation.of(Message.user(turns[0]), Message.assistant(turns[1])));
      }
    }
    return List.copyOf(examples);
  }
}
