package dev.fettle.internal.json;

import java.io.InputStream;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.core.json.JsonReadFeature;

/** Reads JSON texts, within bounds of length and nesting; nothing may come after the value. Immutable. */
public final class JsonReader {
  /** As the standard has it; of two properties with one name the later counts. */
  public static final JsonReader STANDARD = new JsonReader(JsonFactory.builder().build());

  private final JsonFactory factory;

  private JsonReader(JsonFactory factory) {
    this.factory = factory;
  }

  /** The same with other bounds. */
  public JsonReader within(UnaryOperator<StreamReadConstraints.Builder> bounds) {
    StreamReadConstraints.Builder own = factory.streamReadConstraints().rebuild();
    return new JsonReader(factory.rebuild().streamReadConstraints(bounds.apply(own).build()).build());
  }

  /** The same, which rejects two properties with one name. */
  public JsonReader withoutDuplicates() {
    return new JsonReader(factory.rebuild().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build());
  }

  /** The same, which also takes the words that Python writes for numbers that are not finite. */
  public JsonReader withNaN() {
    return new JsonReader(factory.rebuild().enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS).build());
  }

  /**
   * The value that a text holds; missing if there is none.
   *
   * @throws JsonException if it is no JSON
   */
  public JsonNode read(String text) {
    return read(() -> factory.createParser(ObjectReadContext.empty(), text));
  }

  /** The same for a text in UTF-8. */
  public JsonNode read(byte[] utf8) {
    return read(() -> parser(utf8));
  }

  /** What reads a text piece by piece; where a value begins, {@link #next} gives it. */
  public JsonParser parser(byte[] utf8) {
    return factory.createParser(ObjectReadContext.empty(), utf8);
  }

  /** The same for a text of which not all is held. */
  public JsonParser parser(InputStream utf8) {
    return factory.createParser(ObjectReadContext.empty(), utf8);
  }

  private static JsonNode read(Supplier<JsonParser> open) {
    try (JsonParser in = open.get()) {
      if (in.nextToken() == null) {
        return ValueNode.MISSING;
      }
      JsonNode node = next(in);
      if (in.nextToken() != null) {
        throw new JsonException("there is more after its end", in.currentTokenLocation().getLineNr(),
            in.currentTokenLocation().getColumnNr(), null);
      }
      return node;
    } catch (JacksonException e) {
      throw of(e);
    }
  }

  /** The value that begins at the parser's token, which then is its last. */
  public static JsonNode next(JsonParser in) {
    switch (in.currentToken()) {
      case START_OBJECT -> {
        ObjectNode object = new ObjectNode();
        while (in.nextToken() != JsonToken.END_OBJECT) {
          String name = in.currentName();
          in.nextToken();
          object.set(name, next(in));
        }
        return object;
      }
      case START_ARRAY -> {
        ArrayNode array = new ArrayNode();
        while (in.nextToken() != JsonToken.END_ARRAY) {
          array.add(next(in));
        }
        return array;
      }
      case VALUE_STRING -> {
        return ValueNode.of(in.getString());
      }
      case VALUE_NUMBER_INT -> {
        return ValueNode.of(in.getNumberValue());
      }
      case VALUE_NUMBER_FLOAT -> {
        return ValueNode.of(in.getDoubleValue());
      }
      case VALUE_TRUE, VALUE_FALSE -> {
        return ValueNode.of(in.getBooleanValue());
      }
      case VALUE_NULL -> {
        return ValueNode.NULL;
      }
      default -> throw new IllegalStateException("no value begins with " + in.currentToken());
    }
  }

  private static JsonException of(JacksonException e) {
    return e.getLocation() == null ? new JsonException(e.getOriginalMessage(), 0, 0, e)
        : new JsonException(e.getOriginalMessage(), e.getLocation().getLineNr(), e.getLocation().getColumnNr(), e);
  }
}
