package dev.fettle.internal.data;

import dev.fettle.InvalidInputException;
import dev.fettle.internal.json.JsonException;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.json.JsonReader;
import java.util.ArrayList;
import java.util.List;

/** How JSON is read and spoken of. Errors say what was found and what is expected. */
final class JsonForms {
  static final JsonReader JSON = JsonReader.STANDARD.within(bounds -> bounds.maxStringLength(Lines.LONGEST)).withoutDuplicates();

  private static final int EXCERPT = 100;

  private JsonForms() {}

  static JsonNode object(String line, String expected) {
    JsonNode node;
    try {
      node = JSON.read(line);
    } catch (JsonException e) {
      String hint = line.stripLeading().startsWith("[") ? " (JSON Lines has one object a line, not one array)" : "";
      String place = e.column() == 0 ? "" : " at column " + e.column();
      throw new InvalidInputException("malformed JSON" + place + ": " + excerpt(e.getMessage()) + hint);
    }
    if (!node.isObject()) {
      throw new InvalidInputException(kind(node) + "; expected an object, " + expected);
    }
    return node;
  }

  /** The elements of an optional list. */
  static Iterable<JsonNode> list(JsonNode node, String key, String place) {
    JsonNode value = node.get(key);
    if (value == null || value.isNull()) {
      return List.of();
    }
    if (!value.isArray()) {
      throw new InvalidInputException(place + " is " + kind(value) + "; expected a list");
    }
    return value;
  }

  /** A string that can be written as UTF-8, as the tokenizer will want it. */
  static String string(JsonNode value, String place) {
    if (value == null || !value.isString()) {
      throw new InvalidInputException(place + " is " + kind(value) + "; expected a string");
    }
    String text = value.stringValue();
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (Character.isHighSurrogate(c) && i + 1 < text.length() && Character.isLowSurrogate(text.charAt(i + 1))) {
        i++;
      } else if (Character.isSurrogate(c)) {
        throw new InvalidInputException(String.format("%s has half a surrogate pair, \\u%04x, at character %d; "
            + "it is no Unicode text", place, (int) c, i));
      }
    }
    return text;
  }

  static String kind(JsonNode value) {
    return value == null ? "missing"
        : value.isNull() ? "null"
        : value.isString() ? "a string"
        : value.isBoolean() ? "the truth value " + value
        : value.isNumber() ? "the number " + excerpt(value.toString())
        : value.isArray() ? "a list"
        : "an object with " + keys(value);
  }

  static String keys(JsonNode object) {
    List<String> names = new ArrayList<>();
    for (String name : object.propertyNames()) {
      if (names.size() == 8) {
        names.add("...");
        break;
      }
      names.add(excerpt(name));
    }
    return names.isEmpty() ? "no keys" : "the keys " + String.join(", ", names);
  }

  static String excerpt(String text) {
    String start = text.length() <= EXCERPT ? text : text.substring(0, EXCERPT) + "...";
    return start.replaceAll("\\p{Cntrl}", "?");
  }
}
