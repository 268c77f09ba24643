package dev.fettle.internal.template;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The arguments of a call: those by position and those by name. */
record Arguments(List<Object> positional, Map<String, Object> named) {
  static final Arguments NONE = new Arguments(List.of(), Map.of());

  static Arguments of(Object... values) {
    return new Arguments(Arrays.asList(values), Map.of());
  }

  /** The values for these parameters in order; one that ends in {@code ?} may be missing and is then undefined. */
  Object[] bind(String what, String... parameters) {
    Object[] values = new Object[parameters.length];
    if (positional.size() > parameters.length) {
      throw TemplateException.type(what + " takes " + parameters.length + " arguments at most, not " + positional.size());
    }
    Map<String, Object> rest = new LinkedHashMap<>(named);
    for (int i = 0; i < parameters.length; i++) {
      boolean optional = parameters[i].endsWith("?");
      String name = optional ? parameters[i].substring(0, parameters[i].length() - 1) : parameters[i];
      if (i < positional.size()) {
        values[i] = positional.get(i);
      } else if (rest.containsKey(name)) {
        values[i] = rest.remove(name);
      } else if (optional) {
        values[i] = Missing.MISSING;
      } else {
        throw TemplateException.type(what + " needs the argument '" + name + "'");
      }
    }
    if (!rest.isEmpty()) {
      throw TemplateException.type(what + " got an unexpected argument '" + rest.keySet().iterator().next() + "'");
    }
    return values;
  }

  /** These without the first positional ones. */
  Arguments after(int count) {
    return new Arguments(new ArrayList<>(positional.subList(count, positional.size())), named);
  }

  /** Stands for an argument that was not given. */
  enum Missing {
    MISSING
  }

  static Object or(Object value, Object fallback) {
    return value == Missing.MISSING ? fallback : value;
  }
}
