package dev.fettle.internal.text;

import dev.fettle.InvalidInputException;
import dev.fettle.Tokenizer;
import dev.fettle.internal.FileErrors;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;

/** A model directory, as far as its tokenizer goes. */
public final class TokenizerDirectory {
  private TokenizerDirectory() {}

  /**
   * The tokenizer of a directory in Hugging Face layout.
   *
   * @throws InvalidInputException if {@code tokenizer.json} is missing, or a file beside it is broken
   */
  public static Tokenizer open(Path directory) {
    Objects.requireNonNull(directory, "directory");
    FileErrors.requireDirectory(directory, "tokenizer.json");
    Path file = directory.resolve("tokenizer.json");
    if (!Files.isRegularFile(file)) {
      throw new InvalidInputException(file + " is missing: a model directory needs the tokenizer.json of transformers'"
          + " fast tokenizers (tokenizer.model alone is not enough)");
    }
    TokenizerFile parsed = TokenizerFile.read(file);
    return new HfTokenizer(parsed, TokenizerConfig.read(directory));
  }

  /** The same; where there is no {@code tokenizer.json}, one that knows no text and says so when it is needed. */
  public static Tokenizer openIfPresent(Path directory) {
    boolean present = Files.exists(directory.resolve("tokenizer.json"));
    return present ? open(directory) : new AbsentTokenizer(directory);
  }

  /** One that knows no text, and says why when it is needed. */
  public static Tokenizer absent(String why) {
    return new AbsentTokenizer(why);
  }
}
