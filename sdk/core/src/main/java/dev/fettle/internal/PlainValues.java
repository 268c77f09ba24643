package dev.fettle.internal;

import dev.fettle.InvalidInputException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** Values of the kinds that JSON has: texts, numbers, truth values, null, lists and maps. */
public final class PlainValues {
  private PlainValues() {}

  /**
   * A copy that nobody changes.
   *
   * @param name what the values are, for errors
   * @throws InvalidInputException if a value is of another kind
   */
  public static Map<String, Object> copy(Map<String, ?> values, String name) {
    Objects.requireNonNull(values, name);
    if (values.isEmpty()) {
      return Map.of();
    }
    Map<String, Object> copy = new LinkedHashMap<>();
    values.forEach((key, value) -> copy.put(Objects.requireNonNull(key, "a key of " + name), copyOf(value, name + "." + key)));
    return Collections.unmodifiableMap(copy);
  }

  /** The same for one value. */
  public static Object copyOf(Object value, String name) {
    if (value instanceof Map<?, ?> map) {
      Map<String, Object> copy = new LinkedHashMap<>();
      map.forEach((key, inner) -> copy.put(String.valueOf(key), copyOf(inner, name + "." + key)));
      return Collections.unmodifiableMap(copy);
    } else if (value instanceof List<?> list) {
      List<Object> copy = new ArrayList<>();
      list.forEach(inner -> copy.add(copyOf(inner, name + "[" + copy.size() + "]")));
      return Collections.unmodifiableList(copy);
    } else if (value == null || value instanceof String || value instanceof Number || value instanceof Boolean) {
      return value;
    }
    throw new InvalidInputException(name + " is a " + value.getClass().getSimpleName()
        + "; give a text, a number, a truth value, null, or a list or map of these");
  }
}
