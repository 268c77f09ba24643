package dev.fettle.internal.json;

import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.io.StringWriter;
import java.lang.reflect.Array;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Map;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.PrettyPrinter;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.core.util.DefaultPrettyPrinter;

/**
 * Writes JSON: {@link JsonNode}s, maps, lists and arrays, records, texts, numbers, truth values and null. A number that is not
 * finite becomes the text "NaN", "Infinity" or "-Infinity". Stateless.
 */
public final class JsonPrinter {
  private static final JsonFactory FACTORY = new JsonFactory();
  private static final ObjectWriteContext INDENTED = new ObjectWriteContext.Base() {
    @Override
    public boolean hasPrettyPrinter() {
      return true;
    }

    @Override
    public PrettyPrinter getPrettyPrinter() {
      return new DefaultPrettyPrinter();
    }
  };

  private JsonPrinter() {}

  /** The text of a value on one line. */
  public static String line(Object value) {
    return text(ObjectWriteContext.empty(), value);
  }

  /** The text of a value, indented. */
  public static String indented(Object value) {
    return text(INDENTED, value).replace("\r\n", "\n");
  }

  /** The UTF-8 bytes of a value on one line. */
  public static byte[] utf8(Object value) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (JsonGenerator out = generator(bytes)) {
      write(out, value);
    }
    return bytes.toByteArray();
  }

  /** What writes a text piece by piece. */
  public static JsonGenerator generator(OutputStream utf8) {
    return FACTORY.createGenerator(ObjectWriteContext.empty(), utf8);
  }

  private static String text(ObjectWriteContext context, Object value) {
    StringWriter text = new StringWriter();
    try (JsonGenerator out = FACTORY.createGenerator(context, text)) {
      write(out, value);
    }
    return text.toString();
  }

  /** Writes a value where a generator stands. */
  public static void write(JsonGenerator out, Object value) {
    if (value instanceof JsonNode node) {
      if (node.isObject()) {
        properties(out, node.properties());
      } else if (node.isArray()) {
        list(out, node);
      } else {
        write(out, node.raw());
      }
    } else if (value instanceof Map<?, ?> map) {
      properties(out, map.entrySet());
    } else if (value instanceof Iterable<?> items) {
      list(out, items);
    } else if (value instanceof JsonForm form) {
      write(out, form.json());
    } else if (value instanceof Record given) {
      properties(out, Records.properties(given).entrySet());
    } else if (value != null && value.getClass().isArray()) {
      out.writeStartArray();
      for (int i = 0; i < Array.getLength(value); i++) {
        write(out, Array.get(value, i));
      }
      out.writeEndArray();
    } else {
      scalar(out, value);
    }
  }

  private static void properties(JsonGenerator out, Iterable<? extends Map.Entry<?, ?>> properties) {
    out.writeStartObject();
    for (Map.Entry<?, ?> property : properties) {
      out.writeName((String) property.getKey());
      write(out, property.getValue());
    }
    out.writeEndObject();
  }

  private static void list(JsonGenerator out, Iterable<?> items) {
    out.writeStartArray();
    items.forEach(item -> write(out, item));
    out.writeEndArray();
  }

  private static void scalar(JsonGenerator out, Object value) {
    if (value == null) {
      out.writeNull();
    } else if (value instanceof String text) {
      out.writeString(text);
    } else if (value instanceof Boolean truth) {
      out.writeBoolean(truth);
    } else if (value instanceof Double number) {
      out.writeNumber(number);
    } else if (value instanceof Float number) {
      out.writeNumber(number);
    } else if (value instanceof BigInteger number) {
      out.writeNumber(number);
    } else if (value instanceof BigDecimal number) {
      out.writeNumber(number);
    } else if (value instanceof Long || value instanceof Integer) {
      out.writeNumber(((Number) value).longValue());
    } else {
      throw new IllegalArgumentException("no JSON is known for " + value.getClass().getName());
    }
  }
}
