package dev.fettle.internal.text;

import dev.fettle.Rendered;
import dev.fettle.Tokenizer;
import dev.fettle.internal.template.Origin.Field;
import java.util.Arrays;
import java.util.BitSet;

/** A conversation as a chat format wrote it: tokens, and what of them a message's author wrote. */
interface Written {
  int[] tokens();

  /** The text of the tokens, or empty. */
  default String chars() {
    return "";
  }

  /** Whether it has the tools that may be called, if there are any: what has no place for them refuses them, but for templates. */
  default boolean hasTools() {
    return true;
  }

  /** This, once it has been said that its tools are left out, if they are: for whoever does not refuse that. */
  default Written told() {
    return this;
  }

  /** Where each token comes from: what it begins with. */
  Field[] fields();

  /** Weight 1 for the output of the messages in {@code trained}. */
  Rendered trained(BitSet trained);

  /** Weight 1 for all but the token that begins the text. */
  default Rendered allTrained(Tokenizer tokenizer) {
    int[] tokens = tokens();
    float[] weights = new float[tokens.length];
    Arrays.fill(weights, 1f);
    if (tokens.length > 0 && tokenizer.bos().orElse(-1) == tokens[0]) {
      weights[0] = 0f;
    }
    return new Rendered(tokens, weights, chars());
  }
}
