package dev.fettle.internal.json;

import java.lang.reflect.Array;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Records as JSON objects: names in snake case, absent instead of null, properties that are not known are ignored. Components
 * are texts, numbers, truth values, other records, lists, maps with texts as keys, arrays, {@link JsonNode}, or Object for
 * whatever comes. Immutable.
 */
public final class Records {
  /** A number where a text belongs, or the other way round, is an error. */
  public static final Records STRICT = new Records(true);
  /** Takes a text that is a number for the number, and the other way round. */
  public static final Records LENIENT = new Records(false);

  private static final Set<String> NOT_FINITE = Set.of("NaN", "Infinity", "-Infinity");

  private final boolean strict;

  private Records(boolean strict) {
    this.strict = strict;
  }

  static Map<String, Object> properties(Record given) {
    Map<String, Object> properties = new LinkedHashMap<>();
    for (RecordComponent component : given.getClass().getRecordComponents()) {
      Object value = called(() -> {
        component.getAccessor().setAccessible(true);
        return component.getAccessor().invoke(given);
      });
      Property own = component.getAnnotation(Property.class);
      if (value != null || own != null && own.always()) {
        properties.put(name(component), value);
      }
    }
    return properties;
  }

  /**
   * A record, of an object that was read.
   *
   * @throws JsonException naming the property whose value is of another type
   */
  public <T> T read(JsonNode node, Class<T> type) {
    return type.cast(value(node, type, "it"));
  }

  private Object made(JsonNode node, Class<?> type, String name) {
    require(node.isObject(), name, node, "an object");
    RecordComponent[] components = type.getRecordComponents();
    Class<?>[] types = new Class<?>[components.length];
    Object[] values = new Object[components.length];
    for (int i = 0; i < components.length; i++) {
      String property = name(components[i]);
      Property own = components[i].getAnnotation(Property.class);
      types[i] = components[i].getType();
      JsonNode given = node.get(property);
      values[i] = given == null ? absent(types[i])
          : own != null && own.unsigned() ? bits(given, property)
          : value(given, components[i].getGenericType(), property);
    }
    return called(() -> {
      var constructor = type.getDeclaredConstructor(types);
      constructor.setAccessible(true);
      return constructor.newInstance(values);
    });
  }

  private static Object absent(Class<?> type) {
    return type.isPrimitive() ? Array.get(Array.newInstance(type, 1), 0) : null;
  }

  private Object value(JsonNode node, Type type, String name) {
    if (type instanceof ParameterizedType generic) {
      Type[] of = generic.getActualTypeArguments();
      return node.isNull() ? null : generic.getRawType() == List.class ? list(node, of[0], name) : map(node, of[1], name);
    }
    Class<?> wanted = (Class<?>) type;
    if (wanted == JsonNode.class) {
      return node;
    } else if (node.isNull()) {
      require(!wanted.isPrimitive(), name, node, "a value");
      return null;
    } else if (wanted == Object.class) {
      return node.asJava();
    } else if (wanted.isArray()) {
      List<Object> items = list(node, wanted.getComponentType(), name);
      Object array = Array.newInstance(wanted.getComponentType(), items.size());
      for (int i = 0; i < items.size(); i++) {
        Array.set(array, i, items.get(i));
      }
      return array;
    }
    return JsonForm.class.isAssignableFrom(wanted) ? called(() -> wanted.getMethod("of", JsonNode.class).invoke(null, node))
        : wanted.isRecord() ? made(node, wanted, name) : scalar(node, wanted, name);
  }

  private List<Object> list(JsonNode node, Type of, String name) {
    require(node.isArray(), name, node, "a list");
    List<Object> items = new ArrayList<>(node.size());
    for (JsonNode item : node) {
      items.add(value(item, of, name));
    }
    return items;
  }

  private Map<String, Object> map(JsonNode node, Type of, String name) {
    require(node.isObject(), name, node, "an object");
    Map<String, Object> values = new LinkedHashMap<>();
    node.properties().forEach(property -> {
      Object value = value(property.getValue(), of, property.getKey());
      if (value != null) {
        values.put(property.getKey(), value);
      }
    });
    return values;
  }

  private Object scalar(JsonNode given, Class<?> type, String name) {
    JsonNode node = strict ? given : converted(given, type);
    if (type == String.class) {
      require(node.isString(), name, node, "a text");
      return node.stringValue();
    } else if (type == boolean.class || type == Boolean.class) {
      require(node.isBoolean(), name, node, "true or false");
      return node.booleanValue();
    } else if (type == int.class || type == Integer.class) {
      require(isWhole(node) && node.canConvertToInt(), name, node, "a whole number of 32 bits");
      return node.intValue();
    } else if (type == long.class || type == Long.class) {
      require(isWhole(node) && node.canConvertToLong(), name, node, "a whole number of 64 bits");
      return node.longValue();
    }
    double number = node.isString() && NOT_FINITE.contains(node.stringValue()) ? Double.parseDouble(node.stringValue())
        : node.isNumber() ? node.doubleValue() : Double.NaN;
    require(node.isNumber() || node.isString() && NOT_FINITE.contains(node.stringValue()), name, node, "a number");
    return type == float.class || type == Float.class ? (Object) (float) number : (Object) number;
  }

  private boolean isWhole(JsonNode node) {
    return node.isIntegralNumber() || !strict;
  }

  private static JsonNode converted(JsonNode node, Class<?> type) {
    if (type == String.class) {
      return node.isNumber() || node.isBoolean() ? ValueNode.of(node.asString()) : node;
    } else if (!node.isString()) {
      return node;
    }
    try {
      JsonNode meant = JsonReader.STANDARD.read(node.stringValue());
      return meant.isNumber() || meant.isBoolean() ? meant : node;
    } catch (JsonException e) {
      return node;
    }
  }

  private static Long bits(JsonNode node, String name) {
    if (node.isNull()) {
      return null;
    }
    BigInteger number = node.isIntegralNumber() ? node.bigIntegerValue() : null;
    require(number != null && number.bitLength() <= (number.signum() < 0 ? 63 : 64), name, node, "a whole number of 64 bits");
    return number.longValue();
  }

  private static void require(boolean held, String name, JsonNode node, String wanted) {
    if (!held) {
      String text = node.toString();
      throw new JsonException(name + " is " + (text.length() > 100 ? text.substring(0, 100) + "..." : text) + ": give " + wanted);
    }
  }

  private static String name(RecordComponent component) {
    Property own = component.getAnnotation(Property.class);
    return own != null && !own.name().isEmpty() ? own.name()
        : component.getName().replaceAll("([A-Z])", "_$1").toLowerCase(Locale.ROOT);
  }

  /** A call by reflection. */
  private interface Call {
    Object make() throws ReflectiveOperationException;
  }

  private static Object called(Call call) {
    try {
      return call.make();
    } catch (InvocationTargetException e) {
      throw e.getCause() instanceof RuntimeException cause ? cause : new IllegalStateException(e);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }
}
