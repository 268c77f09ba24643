package dev.fettle.internal.template;

import java.util.ArrayList;
import java.util.List;

/** {@code json.dumps} as transformers sets it up: neither HTML nor more than control characters is escaped. */
final class JsonWriter {
  private static final Origin FRAME = new Origin(Origin.NOBODY, Origin.Field.COMPUTED);
  private static final int DEEPEST = 200;

  private final TextBuilder out = new TextBuilder();
  private final boolean ascii;
  private final boolean sorted;
  private final Text indent;
  private final Text comma;
  private final Text colon;

  private JsonWriter(boolean ascii, Object indent, Object separators, boolean sorted) {
    this.ascii = ascii;
    this.sorted = sorted;
    this.indent = indent == null ? null : indent instanceof Text text ? text
        : (Text) Operators.binary("*", Text.computed(" "), indent);
    List<Object> given = separators == null ? null : Values.items(separators);
    comma = given == null ? Text.computed(indent == null ? ", " : ",") : TextMethods.text(given.get(0), "separators");
    colon = given == null ? Text.computed(": ") : TextMethods.text(given.get(1), "separators");
  }

  static Text write(Object value, Arguments arguments) {
    Object[] given = arguments.bind("tojson", "ensure_ascii?", "indent?", "separators?", "sort_keys?");
    Object separators = Arguments.or(given[2], null);
    if (separators != null && Values.length(separators) != 2) {
      throw TemplateException.type("separators must be two texts");
    }
    JsonWriter writer = new JsonWriter(Values.truth(Arguments.or(given[0], false)), Arguments.or(given[1], null), separators,
        Values.truth(Arguments.or(given[3], false)));
    writer.value(value, 1);
    return writer.out.text();
  }

  private void value(Object value, int level) {
    if (level > DEEPEST) {
      throw new TemplateException("a value of more than " + DEEPEST + " levels");
    } else if (value instanceof Text text) {
      string(text);
    } else if (value instanceof Dict dict) {
      dict(dict, level);
    } else if (value instanceof Seq seq && (seq.kind() == Seq.Kind.LIST || seq.kind() == Seq.Kind.TUPLE)) {
      frame("[");
      for (int i = 0; i < seq.items().size(); i++) {
        separate(i, level);
        value(seq.items().get(i), level + 1);
      }
      close(seq.items().isEmpty(), level, "]");
    } else {
      frame(scalar(value));
    }
  }

  private static String scalar(Object value) {
    if (value == null || value instanceof Boolean) {
      return String.valueOf(value);
    } else if (value instanceof Double real) {
      return Double.isNaN(real) ? "NaN" : Double.isInfinite(real) ? real > 0 ? "Infinity" : "-Infinity" : PythonFloat.repr(real);
    } else if (Numbers.isInteger(value)) {
      return value.toString();
    }
    throw TemplateException.type("tojson: an object of type " + Values.type(value) + " is not JSON"
        + (value instanceof Undefined undefined ? ": " + undefined.problem() : ""));
  }

  private void dict(Dict dict, int level) {
    List<Object> keys = new ArrayList<>(dict.keys());
    if (sorted) {
      keys.sort((a, b) -> Values.compare(a, b, "<"));
    }
    frame("{");
    for (int i = 0; i < keys.size(); i++) {
      Object key = keys.get(i);
      separate(i, level);
      if (key instanceof Text text) {
        string(text);
      } else if (key instanceof Seq) {
        throw TemplateException.type("keys must be str, int, float, bool or None, not tuple");
      } else {
        string(Text.computed(scalar(key)));
      }
      out.append(colon);
      value(dict.get(key), level + 1);
    }
    close(keys.isEmpty(), level, "}");
  }

  private void separate(int i, int level) {
    if (i > 0) {
      out.append(comma);
    }
    line(level);
  }

  private void close(boolean empty, int level, String bracket) {
    if (!empty) {
      line(level - 1);
    }
    frame(bracket);
  }

  private void line(int level) {
    if (indent != null) {
      frame("\n");
      for (int i = 0; i < level; i++) {
        out.append(indent);
      }
    }
  }

  private void frame(String text) {
    out.append(text, FRAME);
  }

  private void string(Text text) {
    String chars = text.chars();
    frame("\"");
    int plain = 0;
    for (int i = 0; i < chars.length(); i++) {
      String escape = escape(chars.charAt(i));
      if (escape != null) {
        out.append(text, plain, i).append(escape, text.originAt(i));
        plain = i + 1;
      }
    }
    out.append(text, plain, chars.length());
    frame("\"");
  }

  private String escape(char c) {
    return switch (c) {
      case '"' -> "\\\"";
      case '\\' -> "\\\\";
      case '\n' -> "\\n";
      case '\r' -> "\\r";
      case '\t' -> "\\t";
      case '\b' -> "\\b";
      case '\f' -> "\\f";
      default -> c < ' ' || ascii && c > '~' ? String.format("\\u%04x", (int) c) : null;
    };
  }
}
