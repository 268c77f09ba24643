package dev.fettle.internal.text;

import dev.fettle.InvalidInputException;
import dev.fettle.Tokenizer;
import dev.fettle.internal.checkpoint.OpenDirectory;
import dev.fettle.internal.checkpoint.OpenFile;
import java.nio.file.Path;
import java.util.Objects;

/** A model directory, as far as its tokenizer goes. */
public final class TokenizerDirectory {
  static final String FILE = "tokenizer.json";

  private TokenizerDirectory() {}

  /**
   * The tokenizer of a directory in Hugging Face layout.
   *
   * @throws InvalidInputException if {@code tokenizer.json} is missing, or a file beside it is broken
   */
  public static Tokenizer open(Path directory) {
    Objects.requireNonNull(directory, "directory");
    try (OpenDirectory files = OpenDirectory.open(directory, FILE)) {
      return open(files);
    }
  }

  private static Tokenizer open(OpenDirectory files) {
    OpenFile file = files.find(FILE).orElseThrow(() -> new InvalidInputException(files.path().resolve(FILE)
        + " is missing: a model directory needs the tokenizer.json of transformers' fast tokenizers (tokenizer.model "
        + "alone is not enough)"));
    return new HfTokenizer(TokenizerFile.read(file.path(), file.bytes()), TokenizerConfig.read(files));
  }

  /** The same; where there is no {@code tokenizer.json}, one that knows no text and says so when it is needed. */
  public static Tokenizer openIfPresent(OpenDirectory files) {
    return files.lists(FILE) ? open(files) : new AbsentTokenizer(files.path());
  }

  /** The same of a directory. */
  public static Tokenizer openIfPresent(Path directory) {
    try (OpenDirectory files = OpenDirectory.open(directory, FILE)) {
      return openIfPresent(files);
    }
  }

  /** One that knows no text, and says why when it is needed. */
  public static Tokenizer absent(String why) {
    return new AbsentTokenizer(why);
  }
}
