package dev.fettle;

import dev.fettle.internal.text.ChatFormats;

/** Makes a {@link Renderer} for a tokenizer. */
public final class Renderers {
  private Renderers() {}

  /**
   * A renderer by the name of its family; it trains the last assistant message.
   *
   * @throws InvalidInputException if the name is unknown (the message lists the families) or the tokenizer lacks a
   *     token that the family needs
   */
  public static Renderer of(String family, Tokenizer tokenizer) {
    return ChatFormats.of(family, tokenizer);
  }

  /**
   * The renderer that runs the tokenizer's own chat template; {@code roles} where there is none. Where the template is
   * broken, {@link Text} and {@link Completion} still work and a {@link Conversation} is rejected.
   */
  public static Renderer detect(Tokenizer tokenizer) {
    return ChatFormats.detect(tokenizer);
  }
}
