package dev.fettle.internal.checkpoint;

import dev.fettle.InvalidInputException;
import dev.fettle.Prompt;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The prompts of an encoder, as sentence-transformers keeps them. {@code query} and {@code document} are always among
 * them, empty where the file does not give them.
 *
 * @param byDefault the name of the one that stands before a text for which none is chosen
 */
public record Prompts(Map<String, String> byName, Optional<String> byDefault) {
  /** The file that they are in. */
  public static final String FILE = "config_sentence_transformers.json";
  /** What the file of an embedding model names itself, and one without a word on it. */
  public static final String EMBEDDING = "SentenceTransformer";
  /** What that of a model that scores pairs names itself. */
  public static final String SCORING = "CrossEncoder";

  public Prompts {
    Map<String, String> all = new LinkedHashMap<>(Map.of("query", "", "document", ""));
    all.putAll(byName);
    byName = Collections.unmodifiableMap(all);
  }

  /**
   * Reads the file, if it is there. As in sentence-transformers it counts only beside {@code modules.json}, and not where
   * another kind of model has written it.
   *
   * @throws InvalidInputException if a prompt is no text, or the default is not among them
   */
  public static Prompts read(OpenDirectory files, String type) {
    Optional<OpenFile> file = files.find(FILE);
    if (file.isEmpty() || files.find(EncoderSettings.MODULES).isEmpty()) {
      return new Prompts(Map.of(), Optional.empty());
    }
    JsonFields fields = JsonFields.of(file.get());
    if (!fields.string("model_type").orElse(EMBEDDING).equals(type)) {
      return new Prompts(Map.of(), Optional.empty());
    }
    Map<String, String> found = new LinkedHashMap<>();
    fields.object("prompts").ifPresent(all -> all.keys().forEach(name -> found.put(name, all.string(name).orElse(""))));
    Prompts prompts = new Prompts(found, fields.string("default_prompt_name"));
    prompts.byDefault.filter(name -> !prompts.byName.containsKey(name)).ifPresent(name -> {
      throw fields.invalid("default_prompt_name", "must be one of the prompts, " + prompts.byName.keySet());
    });
    return prompts;
  }

  /**
   * The text of the prompt that is chosen, or else of the default.
   *
   * @throws InvalidInputException if there is none of that name
   */
  public String text(Optional<Prompt> chosen) {
    Optional<String> name = chosen.isPresent() ? chosen.get().name() : byDefault;
    if (name.isEmpty()) {
      return chosen.flatMap(Prompt::text).orElse("");
    }
    if (!byName.containsKey(name.get())) {
      throw new InvalidInputException("prompt \"" + name.get() + "\": the model has none of that name; there are "
          + byName.keySet() + ", or give the text itself by Prompt.of");
    }
    return byName.get(name.get());
  }
}
