package dev.fettle.internal.wire;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.core.json.JsonReadFeature;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.MapperFeature;
import tools.jackson.databind.PropertyNamingStrategies;
import tools.jackson.databind.cfg.CoercionAction;
import tools.jackson.databind.cfg.CoercionInputShape;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.type.LogicalType;

/**
 * JSON as the protocol writes it: snake case, absent instead of null, properties that are not known are ignored.
 * Stateless.
 */
public final class WireJson {
  private static final int LONGEST_STRING = 256 << 20;

  private static final JsonMapper MAPPER = JsonMapper.builder(JsonFactory.builder()
          .streamReadConstraints(StreamReadConstraints.builder().maxStringLength(LONGEST_STRING).build())
          .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
          .build())
      .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
      .changeDefaultPropertyInclusion(all -> all.withValueInclusion(JsonInclude.Include.NON_NULL))
      .build();

  /** For requests: what is of another type is not made to fit, as answers of servers are that others wrote. */
  private static final JsonMapper STRICT = MAPPER.rebuild()
      .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
      .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
      .withCoercionConfig(LogicalType.Textual, texts -> {
        for (CoercionInputShape shape : List.of(CoercionInputShape.Integer, CoercionInputShape.Float,
            CoercionInputShape.Boolean)) {
          texts.setCoercion(shape, CoercionAction.Fail);
        }
      })
      .build();

  private WireJson() {}

  /** The UTF-8 bytes of a message. */
  public static byte[] write(Object message) {
    return MAPPER.writeValueAsBytes(message);
  }

  /**
   * A message.
   *
   * @throws WireException if the bytes are not that
   */
  public static <T> T read(byte[] utf8, Class<T> type) {
    return read(MAPPER, utf8, type);
  }

  /**
   * A request from a client: a number where a text belongs, or the other way round, is an error.
   *
   * @throws WireException if the bytes are not that
   */
  public static <T> T request(byte[] utf8, Class<T> type) {
    return read(STRICT, utf8, type);
  }

  private static <T> T read(JsonMapper mapper, byte[] utf8, Class<T> type) {
    try {
      T message = mapper.readValue(utf8, type);
      if (message == null) {
        throw new WireException("null instead of " + type.getSimpleName());
      }
      return message;
    } catch (JacksonException e) {
      throw broken(type.getSimpleName(), e);
    }
  }

  /** A JSON object of which it is not known yet what it is. */
  public static JsonNode tree(byte[] utf8) {
    try {
      JsonNode node = MAPPER.readTree(utf8);
      if (node == null || !node.isObject()) {
        throw new WireException("not a JSON object");
      }
      return node;
    } catch (JacksonException e) {
      throw broken("a JSON object", e);
    }
  }

  /** A message from an object that was read. */
  public static <T> T read(JsonNode node, Class<T> type) {
    try {
      return MAPPER.treeToValue(node, type);
    } catch (JacksonException e) {
      throw broken(type.getSimpleName(), e);
    }
  }

  private static WireException broken(String type, JacksonException e) {
    String text = String.valueOf(e.getOriginalMessage()).replaceAll("\\s+", " ");
    return new WireException("not " + type + ": " + (text.length() > 200 ? text.substring(0, 200) + "..." : text), e);
  }
}
