package dev.fettle.internal.checkpoint;

import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.json.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;

/**
 * What the files of sentence-transformers beside an encoder say: how its rows are pooled, where texts are cut, and
 * what stands before them.
 *
 * @param maxTokens tokens that a text has at most, if a file says so
 * @param lowerCase whether texts are read in lower case, whatever the tokenizer does
 * @param hidden the width of the encoder; 0 where it is not known yet
 */
public record EncoderSettings(EncoderModules modules, OptionalInt maxTokens, boolean lowerCase, int hidden, Prompts prompts) {
  /** The list of modules that a text passes through. */
  public static final String MODULES = "modules.json";
  /** The settings of the first module, the encoder itself. */
  public static final String SENTENCES = "sentence_bert_config.json";
  static final String CONFIG = "config.json";
  /** Names that older versions gave these settings. */
  private static final List<String> OLDER = List.of("roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet");

  /**
   * Reads the files that are there; without them a text's vector is the mean of its rows, of length 1.
   *
   * @throws dev.fettle.InvalidInputException if a file is broken
   * @throws dev.fettle.UnsupportedModelException if they ask for a module or a pooling that is not supported
   */
  public static EncoderSettings read(OpenDirectory files) {
    EncoderModules modules =
        files.find(MODULES).map(file -> EncoderModules.read(files, file)).orElse(EncoderModules.STANDARD);
    Optional<OpenFile> sentences = sentences(files);
    sentences.map(JsonFields::of).ifPresent(fields -> {
      for (String key : List.of("config_args", "config_kwargs")) {
        fields.refuseUnlessNeutral(key, Double.NaN, "write what it changes into config.json");
      }
    });
    return new EncoderSettings(modules, maxTokens(files),
        sentences.filter(file -> JsonFields.of(file).bool("do_lower_case", false)).isPresent(), 0, Prompts.read(files, Prompts.EMBEDDING));
  }

  private static Optional<OpenFile> sentences(OpenDirectory files) {
    return Stream.concat(Stream.of(SENTENCES), OLDER.stream().map(name -> "sentence_" + name + "_config.json"))
        .flatMap(name -> files.find(name).stream()).findFirst();
  }

  /** The tokens that a text has at most, if a file says so. */
  public static OptionalInt maxTokens(OpenDirectory files) {
    OptionalInt most = integer(sentences(files), "max_seq_length");
    return most.isPresent() ? most : integer(files.find("tokenizer_config.json"), "model_max_length");
  }

  /** The same of an encoder of a width, that reads so many tokens. */
  public EncoderSettings of(int width, int most) {
    return new EncoderSettings(modules, OptionalInt.of(most), lowerCase, width, prompts);
  }

  /** The numbers of a vector. */
  public int width() {
    int width = modules.pooling().modes().size() * hidden;
    for (VectorModule module : modules.after()) {
      if (module instanceof VectorModule.Dense dense) {
        if (dense.inputs() != width) {
          throw JsonFields.of(dense.config()).invalid("in_features", "must be " + width + ", the width of what it reads");
        }
        width = dense.outputs();
      }
    }
    return width;
  }

  /** Writes them beside an encoder, as sentence-transformers reads them. */
  public void write(Path directory) throws IOException {
    modules.write(directory, hidden);
    Files.writeString(directory.resolve(SENTENCES), StrictJson.write(new ObjectNode()
        .put("max_seq_length", maxTokens.orElseThrow()).put("do_lower_case", lowerCase)));
  }

  /** A number that is sensible as a length: tokenizers without a limit write 10^30. */
  private static OptionalInt integer(Optional<OpenFile> file, String key) {
    if (file.isEmpty()) {
      return OptionalInt.empty();
    }
    JsonNode value = StrictJson.read(file.get()).path(key);
    double number = value.isNumber() ? value.asDouble(0) : 0;
    return number >= 1 && number <= Integer.MAX_VALUE ? OptionalInt.of((int) number) : OptionalInt.empty();
  }
}
