package dev.fettle.internal.json;

import java.math.BigInteger;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/**
 * A JSON value. What is not there is null for {@code get} and {@link ValueNode#MISSING} for {@code path}, which can be asked on.
 * A method named {@code xValue} wants a value of that type; one named {@code asX} also makes nothing into 0, false or an empty
 * text, and with a second argument gives that for any other value. Both throw {@link JsonException}.
 */
public abstract sealed class JsonNode implements Iterable<JsonNode> permits ArrayNode, ObjectNode, ValueNode {

  /** A value that is not there. */
  public static JsonNode missing() {
    return ValueNode.MISSING;
  }

  /** A value of a text, a number, a truth value or null, or of maps and lists of them. */
  public static JsonNode of(Object value) {
    if (value instanceof Map<?, ?> map) {
      ObjectNode object = new ObjectNode();
      map.forEach((name, each) -> object.set(String.valueOf(name), of(each)));
      return object;
    } else if (value instanceof Iterable<?> list) {
      ArrayNode array = new ArrayNode();
      list.forEach(each -> array.add(of(each)));
      return array;
    }
    return ValueNode.of(value);
  }

  /** The value of a property; null where there is none. */
  public JsonNode get(String name) {
    return null;
  }

  /** An element of a list; null where there is none. */
  public JsonNode get(int index) {
    return null;
  }

  /** The value of a property, which may be missing. */
  public final JsonNode path(String name) {
    JsonNode value = get(name);
    return value == null ? ValueNode.MISSING : value;
  }

  /** An element of a list, which may be missing. */
  public final JsonNode path(int index) {
    JsonNode value = get(index);
    return value == null ? ValueNode.MISSING : value;
  }

  /** Whether there is such a property, be it null. */
  public final boolean has(String name) {
    return get(name) != null;
  }

  /** Whether there is such a property that is not null. */
  public final boolean hasNonNull(String name) {
    return has(name) && !get(name).isNull();
  }

  /** How many elements or properties there are; 0 for other values. */
  public int size() {
    return 0;
  }

  public final boolean isEmpty() {
    return size() == 0;
  }

  /** The elements of a list, or the values of an object. */
  public Collection<JsonNode> values() {
    return List.of();
  }

  /** The properties of an object, in their order. */
  public Set<Map.Entry<String, JsonNode>> properties() {
    return Set.of();
  }

  /** The names of the properties, in their order. */
  public Set<String> propertyNames() {
    return Set.of();
  }

  @Override
  public final Iterator<JsonNode> iterator() {
    return values().iterator();
  }

  /** As {@link #values}. */
  public final Stream<JsonNode> valueStream() {
    return StreamSupport.stream(spliterator(), false);
  }

  public final boolean isObject() {
    return this instanceof ObjectNode;
  }

  public final boolean isArray() {
    return this instanceof ArrayNode;
  }

  public final boolean isContainer() {
    return isObject() || isArray();
  }

  public final boolean isMissingNode() {
    return this == ValueNode.MISSING;
  }

  public final boolean isNull() {
    return this == ValueNode.NULL;
  }

  public final boolean isString() {
    return raw() instanceof String;
  }

  public final boolean isBoolean() {
    return raw() instanceof Boolean;
  }

  public final boolean isNumber() {
    return raw() instanceof Number;
  }

  /** Whether it is a number without a point or an exponent, of any size. */
  public final boolean isIntegralNumber() {
    return raw() instanceof Long || raw() instanceof BigInteger;
  }

  public final boolean isFloatingPointNumber() {
    return isNumber() && !isIntegralNumber();
  }

  /** Whether it is a whole number, be it written as 2.0, of 32 bits. */
  public final boolean canConvertToInt() {
    return canConvertToLong() && longValue() == (int) longValue();
  }

  /** Whether it is a whole number, be it written as 2.0, of 64 bits. */
  public final boolean canConvertToLong() {
    return raw() instanceof Long || raw() instanceof Double d && d == Math.rint(d) && Math.abs(d) < 0x1p63;
  }

  public final String stringValue() {
    require(isString(), "a text");
    return (String) raw();
  }

  public final boolean booleanValue() {
    require(isBoolean(), "true or false");
    return (Boolean) raw();
  }

  /** Infinity for a number with a point or an exponent that is too large. */
  public final double doubleValue() {
    require(isDouble(), "a number");
    return ((Number) raw()).doubleValue();
  }

  public final long longValue() {
    require(canConvertToLong(), "a whole number of 64 bits");
    return ((Number) raw()).longValue();
  }

  public final int intValue() {
    require(canConvertToInt(), "a whole number of 32 bits");
    return ((Number) raw()).intValue();
  }

  public final BigInteger bigIntegerValue() {
    return raw() instanceof BigInteger large ? large : BigInteger.valueOf(longValue());
  }

  /** A text, a number or a truth value as it is written. */
  public final String asString() {
    require(!isContainer(), "a text");
    return asString("");
  }

  public final String asString(String otherwise) {
    return isNothing() || isContainer() ? otherwise : String.valueOf(raw());
  }

  public final boolean asBoolean() {
    return !isNothing() && booleanValue();
  }

  public final boolean asBoolean(boolean otherwise) {
    return isBoolean() ? booleanValue() : otherwise;
  }

  public final int asInt() {
    return isNothing() ? 0 : intValue();
  }

  public final int asInt(int otherwise) {
    return canConvertToInt() ? intValue() : otherwise;
  }

  public final long asLong() {
    return isNothing() ? 0 : longValue();
  }

  public final long asLong(long otherwise) {
    return canConvertToLong() ? longValue() : otherwise;
  }

  public final double asDouble() {
    return isNothing() ? 0 : doubleValue();
  }

  public final double asDouble(double otherwise) {
    return isDouble() ? doubleValue() : otherwise;
  }

  /** The same as maps and lists of texts, truth values, numbers and null; whole numbers are the smallest that they fit into. */
  public Object asJava() {
    return isIntegralNumber() && canConvertToInt() ? (Object) intValue() : raw();
  }

  /** The text, truth value or number (Long, BigInteger, Double, Float or BigDecimal); null for all else. */
  Object raw() {
    return null;
  }

  /** Whether it is a number; a whole one of 400 digits is valid JSON and no double. */
  private boolean isDouble() {
    return isNumber() && !(raw() instanceof BigInteger large && Double.isInfinite(large.doubleValue()));
  }

  private boolean isNothing() {
    return isNull() || isMissingNode();
  }

  private void require(boolean held, String expected) {
    if (!held) {
      throw new JsonException((isMissingNode() ? "nothing" : this) + " in place of " + expected);
    }
  }

  /** The JSON text on one line; empty for what is missing. */
  @Override
  public final String toString() {
    return isMissingNode() ? "" : JsonPrinter.line(this);
  }
}
