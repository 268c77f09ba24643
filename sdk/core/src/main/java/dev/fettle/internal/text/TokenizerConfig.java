package dev.fettle.internal.text;

import dev.fettle.internal.checkpoint.OpenDirectory;
import dev.fettle.internal.checkpoint.OpenFile;
import java.nio.file.Path;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/**
 * What the optional files beside {@code tokenizer.json} say.
 *
 * @param addBos empty where nothing is said
 * @param directory for error messages
 */
record TokenizerConfig(Path directory, Optional<String> bos, Optional<String> eos, Optional<Boolean> addBos,
    Optional<String> chatTemplate) {
  static TokenizerConfig read(OpenDirectory files) {
    JsonNode config = optional(files, "tokenizer_config.json");
    JsonNode map = optional(files, "special_tokens_map.json");
    JsonNode addBos = config.path("add_bos_token");
    return new TokenizerConfig(files.path(), token(config, map, "bos_token"), token(config, map, "eos_token"),
        addBos.isBoolean() ? Optional.of(addBos.asBoolean()) : Optional.empty(), template(files, config));
  }

  private static JsonNode optional(OpenDirectory files, String name) {
    return files.find(name).map(Json::object).orElseGet(Json.MAPPER::createObjectNode);
  }

  /** transformers writes a token as its text or as an object with the text in {@code content}. */
  private static Optional<String> token(JsonNode config, JsonNode map, String name) {
    JsonNode node = config.has(name) ? config.get(name) : map.path(name);
    JsonNode text = node.isObject() ? node.path("content") : node;
    return text.isString() && !text.asString().isEmpty() ? Optional.of(text.asString()) : Optional.empty();
  }

  private static Optional<String> template(OpenDirectory files, JsonNode config) {
    Optional<OpenFile> file = files.find("chat_template.jinja");
    if (file.isPresent()) {
      return file.map(OpenFile::text);
    }
    JsonNode node = config.path("chat_template");
    if (node.isString()) {
      return Optional.of(node.asString());
    }
    for (JsonNode named : node) {
      if (named.path("name").asString("").equals("default") && named.path("template").isString()) {
        return Optional.of(named.path("template").asString());
      }
    }
    return Optional.empty();
  }
}
