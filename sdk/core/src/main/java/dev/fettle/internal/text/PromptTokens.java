package dev.fettle.internal.text;

import dev.fettle.Conversation;
import dev.fettle.Renderer;
import dev.fettle.Tokenizer;
import java.util.Optional;

/** Prompts as tokens. */
public final class PromptTokens {
  private PromptTokens() {}

  /** A text that is to be continued, after the model's BOS if its tokenizer puts that before texts. */
  public static int[] of(Tokenizer tokenizer, String text) {
    int[] ids = tokenizer.encode(text);
    if (!tokenizer.addsBos() || tokenizer.bos().isEmpty()) {
      return ids;
    }
    int[] out = new int[ids.length + 1];
    out[0] = tokenizer.bos().getAsInt();
    System.arraycopy(ids, 0, out, 1, ids.length);
    return out;
  }

  /** A chat that is to be answered; empty if its tools are not in it, as its template has no place for them. */
  public static Optional<int[]> of(Renderer renderer, Conversation chat) {
    return Optional.of(((ChatRenderer) renderer).write(chat, true)).filter(Written::hasTools).map(Written::tokens);
  }
}
