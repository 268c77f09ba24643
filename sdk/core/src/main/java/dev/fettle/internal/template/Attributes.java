package dev.fettle.internal.template;

import java.util.List;
import java.util.Map;
import java.util.Set;

/** What stands behind a dot or in brackets, as the immutable sandbox allows it. */
final class Attributes {
  /** Stands for an attribute that is not there. */
  static final Object NONE = new Object();
  private static final Map<String, Set<String>> CHANGING = Map.of(
      "dict", Set.of("clear", "pop", "popitem", "setdefault", "update"),
      "list", Set.of("append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove"));

  private Attributes() {}

  /** {@code value.name}: an attribute comes before an item. */
  static Object attribute(Object value, String name) {
    if (value instanceof Undefined undefined) {
      throw undefined.error();
    }
    Object found = find(value, name);
    if (found != NONE) {
      return found;
    }
    return value instanceof Dict dict && dict.has(Text.of(name)) ? dict.get(Text.of(name))
        : Undefined.of(value, Text.of(name));
  }

  /** {@code value[key]}: an item comes before an attribute. */
  static Object item(Object value, Object key) {
    if (value instanceof Undefined undefined) {
      throw undefined.error();
    } else if (value instanceof Dict dict && hashable(key) && dict.has(key)) {
      return dict.get(key);
    } else if (Numbers.isInteger(key) && value instanceof Text text) {
      return letter(text, key);
    } else if (Numbers.isInteger(key) && value instanceof Seq seq && !seq.kind().isView()) {
      List<Object> items = seq.items();
      int index = Numbers.index(key, "an index");
      int at = index < 0 ? index + items.size() : index;
      return at >= 0 && at < items.size() ? items.get(at) : Undefined.of(value, key);
    } else if (key instanceof Text name) {
      Object found = find(value, name.chars());
      return found == NONE ? Undefined.of(value, key) : found;
    }
    return Undefined.of(value, key);
  }

  private static Object letter(Text text, Object key) {
    int index = Numbers.index(key, "an index");
    int at = index < 0 ? index + text.length() : index;
    if (at < 0 || at >= text.length()) {
      return Undefined.of(text, key);
    }
    int from = text.chars().offsetByCodePoints(0, at);
    return text.cut(from, text.chars().offsetByCodePoints(from, 1));
  }

  private static boolean hashable(Object key) {
    return !(key instanceof Dict || key instanceof Namespace || key instanceof Seq seq && seq.kind() != Seq.Kind.TUPLE);
  }

  private static Object find(Object value, String name) {
    boolean everyone = name.length() > 4 && name.startsWith("__") && name.endsWith("__");
    if (everyone || CHANGING.getOrDefault(Values.type(value), Set.of()).contains(name)) {
      return new Undefined("access to attribute '" + name + "' of '" + Values.type(value) + "' object is unsafe");
    } else if (value instanceof Namespace namespace) {
      return namespace.has(name) ? namespace.get(name) : NONE;
    } else if (value instanceof Loop loop) {
      return loop.attribute(name);
    } else if (value instanceof Globals.Cycler cycler) {
      return cycler.attribute(name);
    }
    if (Numbers.isNumber(value)) {
      return of(value, name);
    } else if (value instanceof Text text) {
      Function method = TextMethods.find(text, name);
      return method == null ? NONE : method;
    }
    Function method = value instanceof Dict dict ? of(dict, name)
        : value instanceof Seq seq && !seq.kind().isView() ? of(seq, name) : null;
    return method == null ? NONE : method.withoutNames(name);
  }

  private static Object of(Object number, String name) {
    boolean whole = Numbers.isInteger(number);
    return switch (name) {
      case "real", "numerator" -> whole ? Numbers.integer(number) : name.equals("real") ? number : NONE;
      case "imag" -> whole ? Numbers.of(0) : (Object) 0.0;
      case "denominator" -> whole ? Numbers.of(1) : NONE;
      case "bit_length" -> whole ? (Function) (arguments, run) -> Numbers.of(Numbers.integer(number).abs().bitLength()) : NONE;
      case "is_integer" -> number instanceof Double real
          ? (Function) (arguments, run) -> real == Math.rint(real) && !Double.isInfinite(real) : NONE;
      default -> NONE;
    };
  }

  private static Function of(Dict dict, String name) {
    return switch (name) {
      case "items" -> (arguments, run) -> new Seq(dict.pairs(), Seq.Kind.ITEMS);
      case "keys" -> (arguments, run) -> new Seq(dict.keys(), Seq.Kind.KEYS);
      case "values" -> (arguments, run) -> new Seq(dict.values(), Seq.Kind.VALUES);
      case "copy" -> (arguments, run) -> dict;
      case "get" -> (arguments, run) -> {
        Object[] given = arguments.bind("get", "key", "default?");
        return dict.has(given[0]) ? dict.get(given[0]) : Arguments.or(given[1], null);
      };
      default -> null;
    };
  }

  private static Function of(Seq seq, String name) {
    return switch (name) {
      case "count" -> (arguments, run) -> {
        Object wanted = arguments.bind("count", "value")[0];
        return Numbers.of(seq.items().stream().filter(item -> Values.equal(item, wanted)).count());
      };
      case "index" -> (arguments, run) -> {
        Object wanted = arguments.bind("index", "value")[0];
        for (int i = 0; i < seq.items().size(); i++) {
          if (Values.equal(seq.items().get(i), wanted)) {
            return Numbers.of(i);
          }
        }
        throw TemplateException.type(Values.repr(wanted) + " is not in list");
      };
      case "copy" -> seq.kind() == Seq.Kind.LIST ? (arguments, run) -> seq : null;
      default -> null;
    };
  }
}
