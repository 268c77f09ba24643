package dev.fettle.examples;

import dev.fettle.BaseModel;
import dev.fettle.DType;
import dev.fettle.Fettle;
import dev.fettle.Prompt;
import dev.fettle.Training;
import java.nio.file.Path;
import java.util.List;

/**
 * An embedding model with what it has before queries and documents.
 *
 * @param name the directory's
 * @param model closed by who owns the {@link Fettle}
 * @param query stands before each query
 * @param document stands before each document
 */
record RankBase(String name, BaseModel model, String query, String document) {

  /** Makes vectors of texts that have their prefix. */
  @FunctionalInterface
  interface Embedder {
    List<float[]> embed(List<String> texts, int maxTokens);
  }

  /**
   * Loads what an option names: a directory, and after a colon the two prefixes with a bar between them. Without prefixes
   * the model's own prompts hold.
   */
  static RankBase load(Fettle fettle, String option, DType dtype) {
    int colon = option.indexOf(':');
    String directory = colon < 0 ? option : option.substring(0, colon);
    BaseModel model = fettle.load(directory, dtype);
    String name = Path.of(directory).toAbsolutePath().normalize().getFileName().toString();
    if (colon < 0) {
      return new RankBase(name, model, model.prompts().getOrDefault("query", ""), model.prompts().getOrDefault("document", ""));
    }
    String[] prefixes = prefixes(option.substring(colon + 1));
    return new RankBase(name, model, prefixes[0], prefixes[1]);
  }

  /** {@code "query: |passage: "} as two. */
  static String[] prefixes(String text) {
    String[] two = text.split("\\|", -1);
    if (two.length != 2) {
      throw new IllegalArgumentException("after the colon give what is before a query and what is before a document with | "
          + "between: DIR:query: |passage: ");
    }
    return two;
  }

  /** Vectors of the model as it is. */
  Embedder untuned() {
    return (texts, most) -> model.embed(texts, Prompt.none(), most);
  }

  /** Vectors of what was made of it. */
  static Embedder tuned(Training training) {
    return (texts, most) -> training.embed(texts, Prompt.none(), most);
  }

  /** The numbers that a token is multiplied with: all but the vocabulary's. */
  long multiplied() {
    return model.parameters() - (long) model.vocabSize() * model.hiddenSize();
  }
}
