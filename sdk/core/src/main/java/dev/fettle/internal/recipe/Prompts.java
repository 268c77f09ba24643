package dev.fettle.internal.recipe;

import dev.fettle.Conversation;
import dev.fettle.InvalidInputException;
import dev.fettle.TooLong;
import dev.fettle.internal.Digests;
import dev.fettle.internal.data.Lengths;
import dev.fettle.internal.data.Limit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.function.ToIntFunction;

/** Prompts without end: all of them in random order, then all again in another. */
public final class Prompts {
  private final List<Conversation> all;
  private final Lengths lengths;
  private final Shuffled<Conversation> shuffled;

  /**
   * Those prompts that leave room for an answer; how many do not is said, or refused.
   *
   * @param tokens how long a prompt is
   */
  public Prompts(String recipe, List<Conversation> given, Limit limit, ToIntFunction<Conversation> tokens, long seed) {
    requireSome(recipe, given);
    this.all = new ArrayList<>();
    this.lengths = Lengths.ofPrompts(limit);
    for (int i = 0; i < given.size(); i++) {
      if (lengths.hasRoom("prompt " + (i + 1), tokens.applyAsInt(given.get(i)))) {
        all.add(given.get(i));
      }
    }
    lengths.decide(recipe.toLowerCase(Locale.ROOT));
    if (all.isEmpty()) {
      throw new InvalidInputException(recipe + " without prompts: none of the " + given.size()
          + " leaves room for an answer within " + limit.words());
    }
    this.shuffled = new Shuffled<>(all, seed);
  }

  /** Refuses a recipe that was given none, before it makes its directory. */
  public static void requireSome(String recipe, List<Conversation> given) {
    if (given.isEmpty()) {
      throw new InvalidInputException(recipe + " without prompts: call prompts(...) with at least one");
    }
  }

  /** All of them, in their order. */
  public List<Conversation> all() {
    return all;
  }

  /** How many there are and how many were left out, for a run's files. */
  public Map<String, Object> lengths() {
    return lengths.json();
  }

  /** What may become of prompts that leave no room. */
  public static TooLong tooLong(TooLong longer) {
    if (Objects.requireNonNull(longer, "longer") == TooLong.CUT) {
      throw new InvalidInputException("tooLong CUT: a prompt cannot be cut, since its end is what asks for an answer; give "
          + "SKIP or REFUSE");
    }
    return longer;
  }

  /** The next few. */
  public List<Conversation> next(int count) {
    return shuffled.next(count);
  }

  /** A hash of what they say. */
  public String sha256() {
    StringBuilder text = new StringBuilder();
    all.forEach(chat -> chat.messages().forEach(m -> text.append(m.role()).append('\0').append(m.content()).append('\0')));
    return Digests.sha256(text.toString());
  }
}
