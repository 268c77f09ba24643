package dev.fettle.internal.json;

import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/** A JSON object; properties keep the order in which they came. Not thread-safe while it is changed. */
public final class ObjectNode extends JsonNode {
  private final Map<String, JsonNode> properties = new LinkedHashMap<>();

  @Override
  public JsonNode get(String name) {
    return properties.get(name);
  }

  @Override
  public int size() {
    return properties.size();
  }

  @Override
  public Collection<JsonNode> values() {
    return Collections.unmodifiableCollection(properties.values());
  }

  @Override
  public Set<Map.Entry<String, JsonNode>> properties() {
    return Collections.unmodifiableMap(properties).entrySet();
  }

  @Override
  public Set<String> propertyNames() {
    return Collections.unmodifiableSet(properties.keySet());
  }

  public ObjectNode set(String name, JsonNode value) {
    properties.put(name, value);
    return this;
  }

  public ObjectNode put(String name, String value) {
    return set(name, ValueNode.of(value));
  }

  public ObjectNode put(String name, long value) {
    return set(name, ValueNode.of(value));
  }

  public ObjectNode put(String name, double value) {
    return set(name, ValueNode.of(value));
  }

  /** A number, or null. */
  public ObjectNode put(String name, Number value) {
    return set(name, ValueNode.of(value));
  }

  public ObjectNode put(String name, boolean value) {
    return set(name, ValueNode.of(value));
  }

  public ObjectNode putNull(String name) {
    return set(name, ValueNode.NULL);
  }

  /** A new object as the value of a property. */
  public ObjectNode putObject(String name) {
    ObjectNode value = new ObjectNode();
    set(name, value);
    return value;
  }

  /** A new list as the value of a property. */
  public ArrayNode putArray(String name) {
    ArrayNode value = new ArrayNode();
    set(name, value);
    return value;
  }

  /** Takes a property away, and gives its value; null where there was none. */
  public JsonNode remove(String name) {
    return properties.remove(name);
  }

  /** Another object without a property, whose values are shared. */
  public ObjectNode without(String name) {
    ObjectNode copy = new ObjectNode();
    copy.properties.putAll(properties);
    copy.remove(name);
    return copy;
  }

  @Override
  public Map<String, Object> asJava() {
    Map<String, Object> map = new LinkedHashMap<>();
    properties.forEach((name, value) -> map.put(name, value.asJava()));
    return map;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof ObjectNode object && properties.equals(object.properties);
  }

  @Override
  public int hashCode() {
    return properties.hashCode();
  }
}
