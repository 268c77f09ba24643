package dev.fettle.internal.text;

import dev.fettle.InvalidInputException;
import dev.fettle.internal.checkpoint.OpenFile;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** JSON in, with errors that say where. */
final class Json {
  static final JsonMapper MAPPER = JsonMapper.builder().build();

  private Json() {}

  /** The object in a file. */
  static JsonNode object(OpenFile file) {
    return object(file.text(), file.path().toString());
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
