package dev.fettle.internal.template;

import java.util.LinkedHashMap;
import java.util.Map;

/** What {@code namespace()} makes: attributes that may be set from within a loop. */
final class Namespace {
  private final Map<String, Object> attributes = new LinkedHashMap<>();

  void set(String name, Object value) {
    attributes.put(name, value);
  }

  boolean has(String name) {
    return attributes.containsKey(name);
  }

  Object get(String name) {
    return attributes.get(name);
  }

  Map<String, Object> attributes() {
    return attributes;
  }
}
