package dev.fettle.internal.recipe;

import dev.fettle.Conversation;
import dev.fettle.InvalidInputException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/** Prompts without end: all of them in random order, then all again in another. */
public final class Prompts {
  private final List<Conversation> all;
  private final Random random;
  private final List<Conversation> left = new ArrayList<>();

  public Prompts(String recipe, List<Conversation> all, long seed) {
    if (all.isEmpty()) {
      throw new InvalidInputException(recipe + " without prompts: call prompts(...) with at least one");
    }
    this.all = all;
    this.random = new Random(seed);
  }

  /** The next few. */
  public List<Conversation> next(int count) {
    List<Conversation> next = new ArrayList<>();
    while (next.size() < count) {
      if (left.isEmpty()) {
        left.addAll(all);
        Collections.shuffle(left, random);
      }
      next.add(left.remove(left.size() - 1));
    }
    return next;
  }

  /** A hash of what they say. */
  public String sha256() {
    StringBuilder text = new StringBuilder();
    all.forEach(chat -> chat.messages().forEach(m -> text.append(m.role()).append('\0').append(m.content()).append('\0')));
    return DataHash.of(text.toString());
  }
}
