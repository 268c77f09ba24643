package dev.fettle.internal.text;

import dev.fettle.InvalidInputException;
import dev.fettle.Tokenizer;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;

/** Stands for the tokenizer of a directory that has none: such a model works on token ids alone. */
final class AbsentTokenizer implements Tokenizer {
  private final String why;

  AbsentTokenizer(Path directory) {
    this(directory + ": no tokenizer.json");
  }

  AbsentTokenizer(String why) {
    this.why = why;
  }

  private InvalidInputException missing() {
    return new InvalidInputException(why + ", so this model works on token ids only");
  }

  @Override
  public int[] encode(String text) {
    throw missing();
  }

  /** No text is known for any id. */
  @Override
  public String decode(int... ids) {
    return "";
  }

  @Override
  public String decodeAll(int... ids) {
    return "";
  }

  @Override
  public int vocabSize() {
    return 0;
  }

  @Override
  public OptionalInt bos() {
    return OptionalInt.empty();
  }

  @Override
  public OptionalInt eos() {
    return OptionalInt.empty();
  }

  @Override
  public boolean addsBos() {
    return false;
  }

  @Override
  public OptionalInt id(String token) {
    return OptionalInt.empty();
  }

  @Override
  public String token(int id) {
    throw missing();
  }

  @Override
  public boolean special(int id) {
    return false;
  }

  @Override
  public Optional<String> chatTemplate() {
    return Optional.empty();
  }

  @Override
  public String toString() {
    return "Tokenizer[none]";
  }
}
