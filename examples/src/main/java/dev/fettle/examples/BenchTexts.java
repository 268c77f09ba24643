package dev.fettle.examples;

import dev.fettle.BaseModel;
import dev.fettle.InvalidInputException;
import dev.fettle.Tokenizer;
import dev.fettle.internal.FileErrors;
import dev.fettle.internal.text.TextFrame;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import tools.jackson.databind.json.JsonMapper;

/** Random texts of known length for the measurements of encoders: words of the vocabulary that are one token each. */
final class BenchTexts {
  private static final int TRIES = 1000;

  private final Tokenizer tokenizer;
  private final SplittableRandom random;
  private final int words;

  /**
   * Texts for a model.
   *
   * @param length tokens of each text, those included that the model puts around it
   */
  BenchTexts(BaseModel model, long seed, int length) {
    // Refuses a model that is no encoder before anything is said of its tokenizer.
    model.embed(List.of());
    if (length > model.contextLength()) {
      throw new InvalidInputException("--length " + length + ": " + model.name() + " has " + model.contextLength()
          + " positions; give at most as many");
    }
    this.tokenizer = model.tokenizer();
    this.random = new SplittableRandom(seed);
    TextFrame frame = TextFrame.of(tokenizer);
    int around = frame.before().length + frame.after().length;
    this.words = length - around;
    if (words < 1) {
      throw new InvalidInputException("--length " + length + ": give more than the " + around
          + " tokens that stand around each text");
    }
  }

  List<String> next(int count) {
    List<String> texts = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      texts.add(text());
    }
    return texts;
  }

  /** Writes what another implementation is to be given: a list for each step. */
  static void dump(Object steps, Path file) {
    try {
      Files.writeString(file, new JsonMapper().writeValueAsString(steps));
    } catch (IOException e) {
      throw FileErrors.unsaved(file, e);
    }
  }

  private String text() {
    List<String> chosen = new ArrayList<>();
    for (int i = 0; i < words; i++) {
      chosen.add(word());
    }
    String text = String.join(" ", chosen);
    int tokens = tokenizer.encode(text).length;
    if (tokens != words) {
      throw new InvalidInputException(words + " words make " + tokens + " tokens in the tokenizer of --model: "
          + "give an encoder whose tokenizer splits text at spaces");
    }
    return text;
  }

  private String word() {
    for (int i = 0; i < TRIES; i++) {
      int id = random.nextInt(tokenizer.vocabSize());
      String word = tokenizer.special(id) ? "" : tokenizer.decode(id);
      if (!word.isBlank() && tokenizer.encode(word).length == 1 && tokenizer.encode(word)[0] == id) {
        return word;
      }
    }
    throw new InvalidInputException("no words of one token found in the tokenizer of --model; give an encoder whose "
        + "vocabulary has words");
  }
}
