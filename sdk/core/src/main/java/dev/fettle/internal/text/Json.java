package dev.fettle.internal.text;

import dev.fettle.InvalidInputException;
import dev.fettle.internal.checkpoint.OpenFile;
import dev.fettle.internal.json.JsonException;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.json.JsonReader;

/** JSON in, with errors that say where. */
final class Json {
  private Json() {}

  /** The object in a file. */
  static JsonNode object(OpenFile file) {
    return object(file.text(), file.path().toString());
  }

  /** The object that a text holds; {@code what} names the text in errors. */
  static JsonNode object(String text, String what) {
    JsonNode node;
    try {
      node = JsonReader.STANDARD.read(text);
    } catch (JsonException e) {
      throw new InvalidInputException(what + " is not JSON: " + e.getMessage(), e);
    }
    if (!node.isObject()) {
      throw new InvalidInputException(what + " is not a JSON object");
    }
    return node;
  }
}
