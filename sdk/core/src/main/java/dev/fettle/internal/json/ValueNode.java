package dev.fettle.internal.json;

import java.math.BigInteger;
import java.util.Objects;

/** A text, a number, a truth value or null. Immutable. */
final class ValueNode extends JsonNode {
  static final ValueNode NULL = new ValueNode(null);
  static final ValueNode MISSING = new ValueNode(null);

  private final Object value;

  private ValueNode(Object value) {
    this.value = value;
  }

  /** Of null, a String, a Boolean or a Number. Whole numbers of 64 bits are the same in whatever type they come. */
  public static ValueNode of(Object value) {
    if (value == null) {
      return NULL;
    } else if (value instanceof Integer || value instanceof Short || value instanceof Byte) {
      return new ValueNode(((Number) value).longValue());
    } else if (value instanceof BigInteger large && large.bitLength() < Long.SIZE) {
      return new ValueNode(large.longValue());
    }
    return new ValueNode(value);
  }

  @Override
  Object raw() {
    return value;
  }

  @Override
  public boolean equals(Object other) {
    return this == other || value != null && other instanceof ValueNode node && value.equals(node.value);
  }

  @Override
  public int hashCode() {
    return Objects.hashCode(value);
  }
}
