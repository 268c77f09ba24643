package dev.fettle.internal.checkpoint;

import dev.fettle.UnsupportedModelException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * What the files of sentence-transformers beside an encoder say: how its rows are pooled, where texts are cut, and
 * what stands before them.
 *
 * @param maxTokens tokens that a text has at most, if a file says so
 * @param width numbers of a vector; 0 where it is not known yet
 */
public record EncoderSettings(Pooling pooling, OptionalInt maxTokens, int width, Prompts prompts) {
  /** The list of modules that a text passes through. */
  public static final String MODULES = "modules.json";
  /** The settings of the first module, the encoder itself. */
  public static final String SENTENCES = "sentence_bert_config.json";
  private static final String PACKAGE = "sentence_transformers.models.";
  static final String CONFIG = "config.json";

  /** Whether a directory's config.json is that of an encoder; false where there is none. */
  public static boolean isEncoder(Path directory) {
    Path config = directory.resolve(CONFIG);
    return Files.isRegularFile(config) && StrictJson.read(config).path("model_type").asString("").equals("bert");
  }

  /**
   * Reads the files that are there; without them a text's vector is the mean of its rows, of length 1.
   *
   * @throws dev.fettle.InvalidInputException if a file is broken
   * @throws dev.fettle.UnsupportedModelException if they ask for a module or a pooling that is not supported
   */
  public static EncoderSettings read(OpenDirectory files) {
    Pooling pooling = files.find(MODULES).map(modules -> pooling(files, modules)).orElse(Pooling.STANDARD);
    OptionalInt most = integer(files.find(SENTENCES), "max_seq_length");
    return new EncoderSettings(pooling, most.isPresent() ? most
        : integer(files.find("tokenizer_config.json"), "model_max_length"), 0, Prompts.read(files));
  }

  /** Writes them beside an encoder, as sentence-transformers reads them. */
  public void write(Path directory) throws IOException {
    JsonNodeFactory json = JsonNodeFactory.instance;
    List<String> types = new ArrayList<>(List.of("Transformer", "Pooling"));
    if (pooling.normalised()) {
      types.add("Normalize");
    }
    List<String> modules = new ArrayList<>();
    for (int i = 0; i < types.size(); i++) {
      modules.add(StrictJson.write(json.objectNode().put("idx", i).put("name", String.valueOf(i))
          .put("path", i == 0 ? "" : i + "_" + types.get(i)).put("type", PACKAGE + types.get(i))).strip());
    }
    Files.writeString(directory.resolve(MODULES), "[" + String.join(", ", modules) + "]\n");
    ObjectNode pool = json.objectNode().put("word_embedding_dimension", width);
    List.of("cls_token", "mean_tokens", "max_tokens", "mean_sqrt_len_tokens").forEach(mode ->
        pool.put("pooling_mode_" + mode, mode.equals(pooling.first() ? "cls_token" : "mean_tokens")));
    pool.put("include_prompt", pooling.withPrompt());
    for (int i = 1; i < types.size(); i++) {
      Files.createDirectory(directory.resolve(i + "_" + types.get(i)));
    }
    Files.writeString(directory.resolve("1_Pooling").resolve(CONFIG), StrictJson.write(pool));
    Files.writeString(directory.resolve(SENTENCES), StrictJson.write(
        json.objectNode().put("max_seq_length", maxTokens.orElseThrow()).put("do_lower_case", false)));
  }

  private static Pooling pooling(OpenDirectory files, OpenFile modules) {
    // An array, read as strictly as objects are.
    JsonNode list =
        StrictJson.parse("{\"modules\":" + modules.text() + "}", modules.path().toString()).path("modules");
    Pooling rows = new Pooling(false, false, true);
    boolean normalised = false;
    for (int i = 0; i < list.size(); i++) {
      JsonFields module = new JsonFields(list.get(i), modules.path() + " [" + i + "]");
      String type = module.string("type").orElseThrow(() -> module.invalid("type", "must name the module"));
      switch (type.substring(type.lastIndexOf('.') + 1)) {
        case "Transformer" -> {
          if (!module.string("path").orElse("").isEmpty()) {
            throw module.unsupported("path", "the encoder's own files stand in the directory itself; name "
                + files.path().resolve(module.string("path").get()) + " instead");
          }
        }
        case "Pooling" -> rows = rows(files.file(
            Path.of(module.string("path").orElse(""), CONFIG).normalize().toString().replace('\\', '/')));
        case "Normalize" -> normalised = true;
        default -> throw module.unsupported("type", "the modules are Transformer, Pooling and Normalize");
      }
    }
    return new Pooling(rows.first(), normalised, rows.withPrompt());
  }

  private static Pooling rows(OpenFile file) {
    JsonFields fields = JsonFields.of(file);
    List<String> modes = new ArrayList<>();
    if (fields.has("pooling_mode")) {
      modes.addAll(fields.node("pooling_mode").isString() ? List.of(fields.node("pooling_mode").asString())
          : fields.strings("pooling_mode"));
    } else {
      fields.keys().stream().filter(k -> k.startsWith("pooling_mode_") && fields.bool(k, false))
          .forEach(k -> modes.add(k.substring("pooling_mode_".length()).replaceFirst("_tokens?$", "")));
    }
    String mode = modes.isEmpty() ? "mean" : String.join(" and ", modes);
    if (!mode.equals("mean") && !mode.equals("cls")) {
      throw new UnsupportedModelException(file.path() + ": pooling by " + mode + " is not supported; there are mean "
          + "and cls");
    }
    return new Pooling(mode.equals("cls"), false, fields.bool("include_prompt", true));
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
