package dev.fettle.internal.checkpoint;

import dev.fettle.InvalidInputException;
import dev.fettle.UnsupportedModelException;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.json.ObjectNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Supplier;

/** Typed reading of one JSON object; each error names the source, the key and the value. A null counts as absent. */
public final class JsonFields {
  /** More than anyone counts to; what adds to a count cannot overflow. */
  private static final long MOST = 1L << 53;

  private final JsonNode object;
  private final String source;
  private final String prefix;

  /** Fields of the object; source names its file in errors. */
  public JsonFields(JsonNode object, String source) {
    this(object, source, "");
  }

  /** Fields of the object that a file holds. */
  public static JsonFields of(Path file) {
    return new JsonFields(StrictJson.read(file), file.toString());
  }

  /** Fields of the object that an open file holds. */
  public static JsonFields of(OpenFile file) {
    return new JsonFields(StrictJson.read(file), file.path().toString());
  }

  private JsonFields(JsonNode object, String source, String prefix) {
    this.object = object;
    this.source = source;
    this.prefix = prefix;
  }

  /** The file that the object came from. */
  public String source() {
    return source;
  }

  /** The same but for a key. */
  public JsonFields without(String key) {
    return new JsonFields(((ObjectNode) object).without(key), source, prefix);
  }

  /** All keys, in file order. */
  public Set<String> keys() {
    return new LinkedHashSet<>(object.propertyNames());
  }

  /** Whether the key is there, be it null. */
  public boolean mentions(String key) {
    return object.get(key) != null;
  }

  /** Whether the key is there with a value that is not null. */
  public boolean has(String key) {
    return mentions(key) && !object.get(key).isNull();
  }

  /** The raw value; the key must be there. */
  public JsonNode node(String key) {
    return object.get(key);
  }

  /** A nested object, absent when missing or null. */
  public Optional<JsonFields> object(String key) {
    if (!has(key)) {
      return Optional.empty();
    }
    if (!node(key).isObject()) {
      throw invalid(key, "must be an object");
    }
    return Optional.of(new JsonFields(node(key), source, prefix + key + "."));
  }

  /** A required whole number within the bounds. */
  public int integer(String key, int min, int max) {
    if (!has(key)) {
      throw new InvalidInputException(source + ": " + prefix + key + " is missing; it must be a whole number");
    }
    return toInt(key, node(key), min, max);
  }

  /** A whole number within the bounds, or the default when absent. */
  public int integer(String key, int min, int max, int whenAbsent) {
    return has(key) ? toInt(key, node(key), min, max) : whenAbsent;
  }

  /** A whole number within the bounds, if present. */
  public OptionalInt optionalInteger(String key, int min, int max) {
    return has(key) ? OptionalInt.of(toInt(key, node(key), min, max)) : OptionalInt.empty();
  }

  /** A required whole number of 64 bits. */
  public long whole(String key) {
    if (!has(key) || !node(key).isIntegralNumber() || !node(key).canConvertToLong()) {
      throw invalid(key, "must be a whole number");
    }
    return node(key).longValue();
  }

  /** A required whole number that counts what has been done. */
  public long count(String key) {
    long value = whole(key);
    if (value < 0 || value > MOST) {
      throw invalid(key, "must be from 0 to " + MOST);
    }
    return value;
  }

  /** A finite number, or the default when absent. */
  public double number(String key, double whenAbsent) {
    return has(key) ? toDouble(key, node(key)) : whenAbsent;
  }

  /** A required finite number above zero. */
  public double positive(String key) {
    if (!has(key)) {
      throw new InvalidInputException(source + ": " + prefix + key + " is missing; it must be a number above 0");
    }
    return positive(key, 0);
  }

  /** A finite number above zero, or the default when absent. */
  public double positive(String key, double whenAbsent) {
    double value = number(key, whenAbsent);
    if (has(key) && !(value > 0)) {
      throw invalid(key, "must be above 0");
    }
    return value;
  }

  /** True or false, or the default when absent. */
  public boolean bool(String key, boolean whenAbsent) {
    if (!has(key)) {
      return whenAbsent;
    }
    if (!node(key).isBoolean()) {
      throw invalid(key, "must be true or false");
    }
    return node(key).booleanValue();
  }

  /** A string, if present. */
  public Optional<String> string(String key) {
    if (!has(key)) {
      return Optional.empty();
    }
    if (!node(key).isString()) {
      throw invalid(key, "must be a string");
    }
    return Optional.of(node(key).stringValue());
  }

  /** A list of strings; empty when absent. */
  public List<String> strings(String key) {
    List<String> result = new ArrayList<>();
    for (JsonNode item : items(key)) {
      if (!item.isString()) {
        throw invalid(key, "must be a list of strings");
      }
      result.add(item.stringValue());
    }
    return List.copyOf(result);
  }

  /** One whole number or a list of them; empty when absent. */
  public List<Integer> integers(String key, int min, int max) {
    if (has(key) && node(key).isNumber()) {
      return List.of(toInt(key, node(key), min, max));
    }
    List<Integer> result = new ArrayList<>();
    for (JsonNode item : items(key)) {
      result.add(toInt(key, item, min, max));
    }
    return List.copyOf(result);
  }

  /** A list of finite numbers above zero; empty when absent. */
  public List<Double> positives(String key) {
    List<Double> result = new ArrayList<>();
    for (JsonNode item : items(key)) {
      double value = toDouble(key, item);
      if (!(value > 0)) {
        throw invalid(key, "must be a list of numbers above 0");
      }
      result.add(value);
    }
    return List.copyOf(result);
  }

  /** An object of finite numbers, in file order; empty when absent. */
  public Map<String, Double> numbers(String key) {
    Map<String, Double> result = new LinkedHashMap<>();
    object(key)
        .ifPresent(
            fields -> {
              for (String name : fields.keys()) {
                result.put(name, fields.toDouble(name, fields.node(name)));
              }
            });
    return result;
  }

  /**
   * Refuses the key by name unless its value means "not used": absent, null, false, empty or the given number.
   */
  public void refuseUnlessNeutral(String key, double neutral, String why) {
    if (has(key) && !isNeutral(node(key), neutral)) {
      throw unsupported(key, why);
    }
  }

  private static boolean isNeutral(JsonNode value, double neutral) {
    if (value.isNumber()) {
      return value.asDouble(Double.NaN) == neutral;
    }
    return value.isBoolean() && !value.booleanValue()
        || value.isContainer() && value.isEmpty()
        || value.isString() && value.stringValue().isEmpty();
  }

  /** What is made of the key's value; where that is refused, the error names source and key too. */
  public <T> T checked(String key, Supplier<T> made) {
    try {
      return made.get();
    } catch (InvalidInputException e) {
      throw new InvalidInputException(source + ": " + prefix + key + ": " + e.getMessage(), e);
    }
  }

  /** An error about the value of the key. */
  public InvalidInputException invalid(String key, String must) {
    return new InvalidInputException(source + ": " + prefix + key + " " + must + ", not " + show(key));
  }

  /** A refusal that names the key and its value. */
  public UnsupportedModelException unsupported(String key, String why) {
    return new UnsupportedModelException(
        source + ": " + prefix + key + " = " + show(key) + " is not supported: " + why);
  }

  private String show(String key) {
    return mentions(key) ? Quote.line(StrictJson.compact(node(key))) : "absent";
  }

  private Iterable<JsonNode> items(String key) {
    if (!has(key)) {
      return List.of();
    }
    if (!node(key).isArray()) {
      throw invalid(key, "must be a list");
    }
    return node(key).values();
  }

  private int toInt(String key, JsonNode value, int min, int max) {
    if (!value.isIntegralNumber() || !value.canConvertToInt() || value.intValue() < min || value.intValue() > max) {
      throw invalid(key, "must be a whole number from " + min + " to " + max);
    }
    return value.intValue();
  }

  private double toDouble(String key, JsonNode value) {
    // A whole number of 400 digits is valid JSON and no double.
    double number = value.isNumber() ? value.asDouble(Double.NaN) : Double.NaN;
    if (!Double.isFinite(number)) {
      throw invalid(key, "must be a finite number");
    }
    return number;
  }
}
