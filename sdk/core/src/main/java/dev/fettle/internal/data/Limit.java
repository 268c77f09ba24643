package dev.fettle.internal.data;

import dev.fettle.InvalidInputException;
import dev.fettle.Rendered;
import dev.fettle.TooLong;
import java.util.Arrays;
import java.util.OptionalInt;

/**
 * How long a sequence may be.
 *
 * @param tokens the most tokens
 * @param tooLong what becomes of longer ones
 * @param context whether it is the model that takes no more
 */
public record Limit(int tokens, TooLong tooLong, boolean context) {
  /** No limit but the model's context. */
  public static final Limit NONE = new Limit(Integer.MAX_VALUE, TooLong.CUT, false);

  /**
   * This with another number of tokens.
   *
   * @throws InvalidInputException if it is less than 2
   */
  public Limit atMost(int most) {
    if (most < 2) {
      throw new InvalidInputException("maxLength = " + most
          + ": must be at least 2, one token to read and one to predict");
    }
    return new Limit(most, tooLong, false);
  }

  /** This with another way to treat longer ones. */
  public Limit treating(TooLong longer) {
    return new Limit(tokens, longer, context);
  }

  /** This for a model with a context, if that is known. */
  public Limit within(OptionalInt contextLength) {
    return contextLength.isPresent() && contextLength.getAsInt() < tokens
        ? new Limit(contextLength.getAsInt(), tooLong, true) : this;
  }

  boolean exceededBy(Rendered rendered) {
    return rendered.length() > tokens;
  }

  Rendered cut(Rendered rendered) {
    return exceededBy(rendered)
        ? new Rendered(Arrays.copyOf(rendered.tokens(), tokens), Arrays.copyOf(rendered.weights(), tokens))
        : rendered;
  }

  /** Such as {@code 512 tokens, the model's context}. */
  public String words() {
    return tokens + " tokens" + (context ? ", the model's context" : "");
  }

  @Override
  public String toString() {
    String longer = switch (tooLong) {
      case CUT -> "";
      case SKIP -> ", longer ones skipped";
      case REFUSE -> ", longer ones refused";
    };
    return (tokens == Integer.MAX_VALUE ? "" : ", at most " + tokens + " tokens") + longer;
  }
}
