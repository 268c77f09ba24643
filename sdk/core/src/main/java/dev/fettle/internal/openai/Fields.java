package dev.fettle.internal.openai;

import dev.fettle.internal.json.JsonException;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.json.JsonReader;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;

/** The fields of a request. Null is as if a field were not there. What nobody has asked for is refused at the end. Not thread-safe. */
final class Fields {
  private static final JsonReader JSON = JsonReader.STANDARD.within(bounds -> bounds.maxStringLength(Integer.MAX_VALUE - 16));
  private static final int EXCERPT = 100;

  private final JsonNode node;
  private final String place;
  private final Set<String> asked = new HashSet<>();

  private Fields(JsonNode node, String place) {
    this.node = node;
    this.place = place;
  }

  /** Those of a body. */
  static Fields of(byte[] body) {
    JsonNode node;
    try {
      node = JSON.read(body);
    } catch (JsonException e) {
      throw ApiError.invalid(null, "the body is no JSON: " + e.getMessage());
    }
    if (!node.isObject()) {
      throw ApiError.invalid(null, "the body is " + (node.isMissingNode() ? "empty" : excerpt(node)) + ": give a JSON object");
    }
    return new Fields(node, "");
  }

  /** Those of an object within; null if it is not there. */
  Fields object(String name) {
    JsonNode value = value(name);
    require(value == null || value.isObject(), name, value, "an object");
    return value == null ? null : new Fields(value, place + name + ".");
  }

  /** The value of a field, or null. */
  JsonNode value(String name) {
    asked.add(name);
    JsonNode value = node.get(name);
    return value == null || value.isNull() ? null : value;
  }

  /** The value of a field that has to be there. */
  JsonNode required(String name, String what) {
    JsonNode value = value(name);
    if (value == null) {
      throw ApiError.invalid(place + name, "missing_required_parameter", place + name + " is missing: give " + what);
    }
    return value;
  }

  String text(String name) {
    JsonNode value = value(name);
    require(value == null || value.isString(), name, value, "a text");
    return value == null ? null : Texts.unicode(value.stringValue(), place + name);
  }

  boolean flag(String name, boolean otherwise) {
    JsonNode value = value(name);
    require(value == null || value.isBoolean(), name, value, "true or false");
    return value == null ? otherwise : value.booleanValue();
  }

  /** A whole number within bounds; null if it is not there. */
  Integer count(String name, int least, int most) {
    JsonNode value = value(name);
    boolean fits = value == null || value.isNumber() && value.canConvertToInt() && value.intValue() >= least && value.intValue() <= most;
    require(fits, name, value, "a whole number, at least " + least + (most == Integer.MAX_VALUE ? "" : " and at most " + most));
    return value == null ? null : (Integer) value.intValue();
  }

  int count(String name, int otherwise, int least, int most) {
    Integer value = count(name, least, most);
    return value == null ? otherwise : value;
  }

  double number(String name, double otherwise, double least, double most) {
    JsonNode value = value(name);
    double number = value == null ? otherwise : value.asDouble(Double.NaN);
    require(value == null || value.isNumber() && number >= least && number <= most, name, value,
        "a number from " + least + " to " + most);
    return number;
  }

  /** Texts, of which one may stand without a list. */
  List<String> texts(String name, int most) {
    JsonNode value = value(name);
    if (value == null) {
      return List.of();
    }
    List<String> out = new ArrayList<>();
    for (JsonNode each : value.isArray() ? value : List.of(value)) {
      require(each.isString(), name, value, "a text or a list of texts");
      out.add(Texts.unicode(each.stringValue(), place + name + "[" + out.size() + "]"));
    }
    require(out.size() <= most, name, value, "at most " + most + " texts");
    return out;
  }

  /** Fields that change nothing about the answer. */
  Fields without(String... names) {
    asked.addAll(List.of(names));
    return this;
  }

  /** A field that only one value is supported of, the one that asks for nothing. */
  void refuse(String name, Predicate<JsonNode> neutral, String instead) {
    JsonNode value = value(name);
    if (value != null && !neutral.test(value)) {
      throw ApiError.unsupported(place + name, place + name + " is not supported by this server: " + instead);
    }
  }

  /** Refuses what nobody has asked for. */
  void end() {
    for (String name : node.propertyNames()) {
      if (!asked.contains(name)) {
        throw ApiError.invalid(place + name, "unknown_parameter", place + name
            + " is not known to this server: leave it out, since it would change nothing");
      }
    }
  }

  private void require(boolean held, String name, JsonNode value, String wanted) {
    if (!held) {
      throw ApiError.invalid(place + name, place + name + " is " + excerpt(value) + ": give " + wanted);
    }
  }

  static String excerpt(JsonNode value) {
    String text = value == null ? "nothing" : value.toString();
    return text.length() <= EXCERPT ? text : text.substring(0, EXCERPT) + "...";
  }
}
