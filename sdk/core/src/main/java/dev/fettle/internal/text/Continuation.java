package dev.fettle.internal.text;

import dev.fettle.Tokenizer;
import java.util.Arrays;

/**
 * Tokenises text that goes on after other text. SentencePiece models put a space before whatever they are given; here
 * that space must not appear, or "Once" + " upon" would have two.
 */
final class Continuation {
  /** Something that never joins with the text after it in such a model. */
  private static final String LEAD = "\n";

  private final Tokenizer tokenizer;
  private final int[] lead;

  Continuation(Tokenizer tokenizer) {
    this.tokenizer = tokenizer;
    int[] ids = tokenizer.encode(LEAD);
    lead = ids.length > 1 && tokenizer.token(ids[0]).equals("\u2581") ? ids : new int[0];
  }

  int[] encode(String text) {
    if (lead.length > 0) {
      int[] ids = tokenizer.encode(LEAD + text);
      if (ids.length >= lead.length && Arrays.equals(ids, 0, lead.length, lead, 0, lead.length)) {
        return Arrays.copyOfRange(ids, lead.length, ids.length);
      }
    }
    return tokenizer.encode(text);
  }
}
