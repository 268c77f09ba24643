package dev.fettle.internal.template;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A dictionary in the order in which it was filled. */
public final class Dict {
  private final Map<Object, Map.Entry<Object, Object>> entries = new LinkedHashMap<>();
  private final int message;

  /** One that is no message. */
  public Dict() {
    this(Origin.NOBODY);
  }

  /** One that is the message of this index. */
  public Dict(int message) {
    this.message = message;
  }

  /** The index of the message that this is, or {@link Origin#NOBODY}. */
  int message() {
    return message;
  }

  /** Sets a value; a key that is there keeps its place. */
  public Dict put(Object key, Object value) {
    Object hash = hash(key);
    Map.Entry<Object, Object> old = entries.get(hash);
    entries.put(hash, new java.util.AbstractMap.SimpleEntry<>(old == null ? key : old.getKey(), value));
    return this;
  }

  /** The same for a key of the interpreter's own. */
  public Dict put(String key, Object value) {
    return put(Text.of(key), value);
  }

  boolean has(Object key) {
    return entries.containsKey(hash(key));
  }

  Object get(Object key) {
    Map.Entry<Object, Object> entry = entries.get(hash(key));
    return entry == null ? null : entry.getValue();
  }

  int size() {
    return entries.size();
  }

  List<Object> keys() {
    List<Object> keys = new ArrayList<>(entries.size());
    entries.values().forEach(entry -> keys.add(entry.getKey()));
    return keys;
  }

  List<Object> values() {
    List<Object> values = new ArrayList<>(entries.size());
    entries.values().forEach(entry -> values.add(entry.getValue()));
    return values;
  }

  List<Object> pairs() {
    List<Object> pairs = new ArrayList<>(entries.size());
    entries.values().forEach(entry -> pairs.add(Seq.tuple(entry.getKey(), entry.getValue())));
    return pairs;
  }

  /** Numbers that are equal are the same key, whatever their types. */
  private static Object hash(Object key) {
    if (key instanceof Boolean bool) {
      return bool ? BigInteger.ONE : BigInteger.ZERO;
    } else if (key instanceof Double real && real == Math.rint(real) && !Double.isInfinite(real)) {
      return new BigDecimal(real).toBigInteger();
    } else if (key instanceof Dict || key instanceof Namespace || key instanceof Seq seq && seq.kind() != Seq.Kind.TUPLE) {
      throw TemplateException.type("unhashable type: '" + Values.type(key) + "'");
    }
    return key;
  }

  @Override
  public boolean equals(Object other) {
    if (!(other instanceof Dict dict) || dict.size() != size()) {
      return false;
    }
    return entries.entrySet().stream().allMatch(entry -> dict.entries.containsKey(entry.getKey())
        && Values.equal(entry.getValue().getValue(), dict.entries.get(entry.getKey()).getValue()));
  }

  @Override
  public int hashCode() {
    return size();
  }
}
