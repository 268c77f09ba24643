package dev.fettle.internal.text;

import dev.fettle.InvalidInputException;
import dev.fettle.internal.FileErrors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** JSON in, with errors that say where. */
final class Json {
  static final JsonMapper MAPPER = JsonMapper.builder().build();

  private Json() {}

  /** The object in a file. */
  static JsonNode object(Path file) {
    try {
      return object(Files.readString(file), file.toString());
    } catch (IOException e) {
      throw FileErrors.unread(file, e);
    }
  }

  /** The object that a text holds; {@code what} names the text in errors. */
  static JsonNode object(String text, String what) {
    JsonNode node;
    try {
      node = MAPPER.readTree(text);
    } catch (JacksonException e) {
      throw new InvalidInputException(what + " is not JSON: " + e.getOriginalMessage(), e);
    }
    if (node == null || !node.isObject()) {
      throw new InvalidInputException(what + " is not a JSON object");
    }
    return node;
  }
}
