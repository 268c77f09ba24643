package dev.fettle;

import dev.fettle.internal.text.TokenizerDirectory;
import java.nio.file.Path;

/** Opens a {@link Tokenizer} without a model. */
public final class Tokenizers {
  private Tokenizers() {}

  /**
   * The tokenizer of a model directory in Hugging Face layout: {@code tokenizer.json}, and where they exist
   * {@code tokenizer_config.json}, {@code special_tokens_map.json} and {@code chat_template.jinja}. Truncation and
   * padding that {@code tokenizer.json} may ask for are switched off.
   *
   * @throws InvalidInputException if a file is missing or broken; the message names it
   * @throws UnsupportedModelException if {@code tokenizer.json} has a part that is not known, such as another model
   *     than BPE, Unigram, WordLevel or WordPiece
   */
  public static Tokenizer open(Path directory) {
    return TokenizerDirectory.open(directory);
  }
}
