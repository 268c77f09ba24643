package dev.fettle.internal.text;

import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.template.PythonFloat;
import java.util.Iterator;
import java.util.Map;

/** JSON as Python's {@code json.dumps(ensure_ascii=False)} prints it, which is what models were trained on. */
final class PythonJson {
  private final StringBuilder out = new StringBuilder();
  private final int indent;

  private PythonJson(int indent) {
    this.indent = indent;
  }

  /** On one line, with a space after each comma and colon. */
  static String compact(JsonNode node) {
    return print(node, 0);
  }

  /** With {@code indent} spaces a level. */
  static String indented(JsonNode node, int indent) {
    return print(node, indent);
  }

  private static String print(JsonNode node, int indent) {
    PythonJson json = new PythonJson(indent);
    json.value(node, 1);
    return json.out.toString();
  }

  private void value(JsonNode node, int level) {
    if (node.isObject()) {
      Iterator<Map.Entry<String, JsonNode>> properties = node.properties().iterator();
      out.append('{');
      for (int i = 0; properties.hasNext(); i++) {
        Map.Entry<String, JsonNode> property = properties.next();
        separate(i, level);
        string(property.getKey());
        out.append(": ");
        value(property.getValue(), level + 1);
      }
      close(node, level, '}');
    } else if (node.isArray()) {
      out.append('[');
      for (int i = 0; i < node.size(); i++) {
        separate(i, level);
        value(node.get(i), level + 1);
      }
      close(node, level, ']');
    } else if (node.isString()) {
      string(node.asString());
    } else if (node.isFloatingPointNumber()) {
      out.append(real(node.doubleValue()));
    } else {
      out.append(node);
    }
  }

  private void separate(int i, int level) {
    if (i > 0) {
      out.append(indent > 0 ? "," : ", ");
    }
    if (indent > 0) {
      out.append('\n').append(" ".repeat(indent * level));
    }
  }

  private void close(JsonNode node, int level, char bracket) {
    if (indent > 0 && !node.isEmpty()) {
      out.append('\n').append(" ".repeat(indent * (level - 1)));
    }
    out.append(bracket);
  }

  private void string(String text) {
    out.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '"' -> out.append("\\\"");
        case '\\' -> out.append("\\\\");
        case '\n' -> out.append("\\n");
        case '\r' -> out.append("\\r");
        case '\t' -> out.append("\\t");
        case '\b' -> out.append("\\b");
        case '\f' -> out.append("\\f");
        default -> {
          if (c < ' ') {
            out.append(String.format("\\u%04x", (int) c));
          } else {
            out.append(c);
          }
        }
      }
    }
    out.append('"');
  }

  /** A text as a JSON string. */
  static String quote(String text) {
    PythonJson json = new PythonJson(0);
    json.string(text);
    return json.out.toString();
  }

  private static String real(double value) {
    return Double.isInfinite(value) ? value > 0 ? "Infinity" : "-Infinity" : PythonFloat.repr(value);
  }
}
