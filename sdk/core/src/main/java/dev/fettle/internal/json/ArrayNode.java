package dev.fettle.internal.json;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;

/** A JSON list. Not thread-safe while it is changed. */
public final class ArrayNode extends JsonNode {
  private final List<JsonNode> items = new ArrayList<>();

  @Override
  public JsonNode get(int index) {
    return index >= 0 && index < items.size() ? items.get(index) : null;
  }

  @Override
  public int size() {
    return items.size();
  }

  @Override
  public Collection<JsonNode> values() {
    return Collections.unmodifiableList(items);
  }

  public ArrayNode add(JsonNode value) {
    items.add(value);
    return this;
  }

  public ArrayNode add(String value) {
    return add(ValueNode.of(value));
  }

  public ArrayNode add(long value) {
    return add(ValueNode.of(value));
  }

  public ArrayNode add(double value) {
    return add(JsonNode.of(value));
  }

  /** A new object as the last value. */
  public ObjectNode addObject() {
    ObjectNode value = new ObjectNode();
    add(value);
    return value;
  }

  /** A new array as the last value. */
  public ArrayNode addArray() {
    ArrayNode value = new ArrayNode();
    add(value);
    return value;
  }

  @Override
  public List<Object> asJava() {
    List<Object> list = new ArrayList<>();
    items.forEach(item -> list.add(item.asJava()));
    return list;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof ArrayNode array && items.equals(array.items);
  }

  @Override
  public int hashCode() {
    return items.hashCode();
  }
}
