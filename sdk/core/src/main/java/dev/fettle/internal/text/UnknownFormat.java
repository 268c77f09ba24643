package dev.fettle.internal.text;

import dev.fettle.Conversation;
import dev.fettle.Tokenizer;
import dev.fettle.UnsupportedModelException;
import java.util.List;

/** A chat template that no family here equals: a guess would train on a format that the model does not know. */
record UnknownFormat() implements ChatFormat {
  @Override
  public String family() {
    return "unknown";
  }

  @Override
  public List<String> needs() {
    return List.of();
  }

  @Override
  public void write(Conversation conversation, boolean generate, Pieces out) {
    throw new UnsupportedModelException("the chat template of this model is of no family that Fettle knows; choose one"
        + " yourself with Renderers.of(family, tokenizer), one of " + String.join(", ", ChatFormats.FAMILIES.keySet()));
  }

  @Override
  public List<Integer> stopTokens(Tokenizer tokenizer) {
    return tokenizer.eos().stream().boxed().toList();
  }
}
