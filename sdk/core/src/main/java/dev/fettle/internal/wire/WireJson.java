package dev.fettle.internal.wire;

import dev.fettle.internal.json.JsonException;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.json.JsonPrinter;
import dev.fettle.internal.json.JsonReader;
import dev.fettle.internal.json.Records;

/**
 * JSON as the protocol writes it: snake case, absent instead of null, properties that are not known are ignored.
 * Stateless.
 */
public final class WireJson {
  private static final JsonReader READER = JsonReader.STANDARD.within(bounds -> bounds.maxStringLength(256 << 20)).withNaN();

  private WireJson() {}

  /** The UTF-8 bytes of a message. */
  public static byte[] write(Object message) {
    return JsonPrinter.utf8(message);
  }

  /**
   * A message.
   *
   * @throws WireException if the bytes are not that
   */
  public static <T> T read(byte[] utf8, Class<T> type) {
    return read(Records.LENIENT, utf8, type);
  }

  /**
   * A request from a client: a number where a text belongs, or the other way round, is an error, as it is not in answers of
   * servers, which others wrote.
   *
   * @throws WireException if the bytes are not that
   */
  public static <T> T request(byte[] utf8, Class<T> type) {
    return read(Records.STRICT, utf8, type);
  }

  private static <T> T read(Records records, byte[] utf8, Class<T> type) {
    try {
      T message = records.read(READER.read(utf8), type);
      if (message == null) {
        throw new WireException("null instead of " + type.getSimpleName());
      }
      return message;
    } catch (JsonException e) {
      throw broken(type.getSimpleName(), e);
    }
  }

  /** A JSON object of which it is not known yet what it is. */
  public static JsonNode tree(byte[] utf8) {
    try {
      JsonNode node = READER.read(utf8);
      if (!node.isObject()) {
        throw new WireException("not a JSON object");
      }
      return node;
    } catch (JsonException e) {
      throw broken("a JSON object", e);
    }
  }

  /** A message from an object that was read. */
  public static <T> T read(JsonNode node, Class<T> type) {
    try {
      return Records.LENIENT.read(node, type);
    } catch (JsonException e) {
      throw broken(type.getSimpleName(), e);
    }
  }

  private static WireException broken(String type, JsonException e) {
    String text = String.valueOf(e.getMessage()).replaceAll("\\s+", " ");
    return new WireException("not " + type + ": " + (text.length() > 200 ? text.substring(0, 200) + "..." : text), e);
  }
}
