package dev.fettle;

import java.util.Objects;

/**
 * A token as it is sampled.
 *
 * @param id the token
 * @param text the text that became complete with it; empty within a character that takes several tokens
 * @param logprob under the model itself, in nats
 */
public record Token(int id, String text, float logprob) {
  public Token {
    Objects.requireNonNull(text, "text");
  }

  @Override
  public String toString() {
    return "Token[" + id + ", " + text.replaceAll("[\\p{Cntrl}<>]", " ") + "]";
  }
}
