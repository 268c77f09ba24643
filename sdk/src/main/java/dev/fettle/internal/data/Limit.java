package dev.fettle.internal.data;

import dev.fettle.Rendered;
import java.util.Arrays;

/**
 * How long a sequence may be.
 *
 * @param tokens the most tokens; {@link #NONE} for any number
 * @param refuse whether longer ones are left out rather than cut
 */
public record Limit(int tokens, boolean refuse) {
  /** No limit. */
  public static final Limit NONE = new Limit(Integer.MAX_VALUE, false);

  boolean exceededBy(Rendered rendered) {
    return rendered.length() > tokens;
  }

  Rendered cut(Rendered rendered) {
    return exceededBy(rendered)
        ? new Rendered(Arrays.copyOf(rendered.tokens(), tokens), Arrays.copyOf(rendered.weights(), tokens))
        : rendered;
  }

  @Override
  public String toString() {
    return equals(NONE) ? "" : ", at most " + tokens + " tokens" + (refuse ? " or refused" : "");
  }
}
