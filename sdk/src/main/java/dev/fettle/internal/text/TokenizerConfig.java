package dev.fettle.internal.text;

import dev.fettle.internal.FileErrors;
import java.io.IOException;
import java.nio.file.Files;
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
  static TokenizerConfig read(Path directory) {
    JsonNode config = optional(directory.resolve("tokenizer_config.json"));
    JsonNode map = optional(directory.resolve("special_tokens_map.json"));
    JsonNode addBos = config.path("add_bos_token");
    return new TokenizerConfig(directory, token(config, map, "bos_token"), token(config, map, "eos_token"),
        addBos.isBoolean() ? Optional.of(addBos.asBoolean()) : Optional.empty(), template(directory, config));
  }

  private static JsonNode optional(Path file) {
    return Files.exists(file) ? Json.object(file) : Json.MAPPER.createObjectNode();
  }

  /** transformers writes a token as its text or as an object with the text in {@code content}. */
  private static Optional<String> token(JsonNode config, JsonNode map, String name) {
    JsonNode node = config.has(name) ? config.get(name) : map.path(name);
    JsonNode text = node.isObject() ? node.path("content") : node;
    return text.isString() && !text.asString().isEmpty() ? Optional.of(text.asString()) : Optional.empty();
  }

  private static Optional<String> template(Path directory, JsonNode config) {
    Path file = directory.resolve("chat_template.jinja");
    if (Files.exists(file)) {
      try {
        return Optional.of(Files.readString(file));
      } catch (IOException e) {
        throw FileErrors.unread(file, e);
      }
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
