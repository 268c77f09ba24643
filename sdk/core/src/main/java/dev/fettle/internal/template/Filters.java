package dev.fettle.internal.template;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What may stand behind a bar. */
final class Filters {
  /** A filter. */
  interface Filter {
    Object apply(Object value, Arguments arguments, Run run);
  }

  private static final Map<String, Filter> ALL = new TreeMap<>();

  static {
    SequenceFilters.register(ALL);
    TextFilters.register(ALL);
    ALL.put("abs", (value, arguments, run) -> value instanceof Double real ? (Object) Math.abs(real)
        : Numbers.integer(number(value)).abs());
    ALL.put("attr", (value, arguments, run) -> {
      String name = TextMethods.text(arguments.bind("attr", "name")[0], "attr").chars();
      boolean item = value instanceof Dict && Attributes.attribute(new Dict(), name) instanceof Undefined;
      return item ? Undefined.of(value, Text.of(name)) : Attributes.attribute(value, name);
    });
    ALL.put("default", (value, arguments, run) -> {
      Object[] given = arguments.bind("default", "default_value?", "boolean?");
      boolean empty = value instanceof Undefined || Values.truth(Arguments.or(given[1], false)) && !Values.truth(value);
      return empty ? Arguments.or(given[0], Text.EMPTY) : value;
    });
    ALL.put("d", ALL.get("default"));
    ALL.put("int", Filters::toInteger);
    ALL.put("float", (value, arguments, run) -> {
      Object fallback = Arguments.or(arguments.bind("float", "default?")[0], 0.0);
      Double real = real(value);
      return real == null ? fallback : real;
    });
    ALL.put("round", Filters::round);
    ALL.put("tojson", (value, arguments, run) -> JsonWriter.write(value, arguments));
    ALL.put("length", (value, arguments, run) -> {
      arguments.bind("length");
      return Numbers.of(Values.length(value));
    });
    ALL.put("count", ALL.get("length"));
    ALL.put("filesizeformat", Filters::fileSize);
  }

  private Filters() {}

  static boolean knows(String name) {
    return ALL.containsKey(name);
  }

  static Object call(String name, Object value, Arguments arguments, Run run) {
    Filter filter = ALL.get(name);
    if (filter == null) {
      throw new TemplateException("no filter is called '" + name + "'; there are " + String.join(", ", ALL.keySet()));
    }
    run.weigh(value);
    return run.made(filter.apply(value, arguments, run));
  }

  static Object number(Object value) {
    if (value instanceof Undefined undefined) {
      throw undefined.error();
    } else if (!Numbers.isNumber(value)) {
      throw TemplateException.type("a number is needed, not " + Values.type(value));
    }
    return value;
  }

  private static Object toInteger(Object value, Arguments arguments, Run run) {
    Object[] given = arguments.bind("int", "default?", "base?");
    int base = Numbers.index(Arguments.or(given[1], Numbers.of(10)), "base");
    if (value instanceof Undefined undefined) {
      throw undefined.error();
    }
    if (Numbers.isInteger(value)) {
      return Numbers.integer(value);
    }
    BigInteger whole = value instanceof Text text ? Numbers.parse(text.chars(), base) : null;
    Double real = whole != null ? null : real(value);
    return whole != null ? whole : real == null || Double.isNaN(real) || Double.isInfinite(real)
        ? Arguments.or(given[0], BigInteger.ZERO) : new BigDecimal(real).toBigInteger();
  }

  private static Double real(Object value) {
    if (value instanceof Undefined undefined) {
      throw undefined.error();
    }
    return Numbers.isNumber(value) ? (Double) Numbers.real(value)
        : value instanceof Text text ? Numbers.parseReal(text.chars()) : null;
  }

  private static Object round(Object value, Arguments arguments, Run run) {
    Object[] given = arguments.bind("round", "precision?", "method?");
    int precision = Numbers.index(Arguments.or(given[0], BigInteger.ZERO), "precision");
    String method = Values.str(Arguments.or(given[1], Text.of("common"))).chars();
    if (!List.of("common", "ceil", "floor").contains(method)) {
      throw TemplateException.type("method must be common, ceil or floor");
    } else if (Math.abs((long) precision) > 400) {
      throw new TemplateException("a precision of " + precision + " digits");
    }
    number(value);
    if (!method.equals("common")) {
      double scale = Math.pow(10, precision);
      double scaled = Numbers.real(value) * scale;
      return (method.equals("ceil") ? Math.ceil(scaled) : Math.floor(scaled)) / scale;
    } else if (Numbers.isInteger(value)) {
      return new BigDecimal(Numbers.integer(value)).setScale(Math.min(precision, 0), RoundingMode.HALF_EVEN).toBigInteger();
    }
    double real = Numbers.real(value);
    return Double.isNaN(real) || Double.isInfinite(real) ? (Object) real
        : (Object) new BigDecimal(real).setScale(precision, RoundingMode.HALF_EVEN).doubleValue();
  }

  private static Object fileSize(Object value, Arguments arguments, Run run) {
    boolean binary = Values.truth(Arguments.or(arguments.bind("filesizeformat", "binary?")[0], false));
    Double size = real(value);
    if (size == null) {
      throw TemplateException.type("filesizeformat: a number is needed, not " + Values.type(value));
    }
    double base = binary ? 1024 : 1000;
    if (size == 1) {
      return Text.computed("1 Byte");
    } else if (size < base) {
      return Text.computed(new BigDecimal(size).toBigInteger() + " Bytes");
    }
    double unit = base * base;
    int i = 0;
    for (; i < 7 && size >= unit; i++) {
      unit *= base;
    }
    return Text.computed(PercentFormat.fixed(base * size / unit, 1) + " " + (binary ? "KMGTPEZY" : "kMGTPEZY").charAt(i)
        + (binary ? "iB" : "B"));
  }

  /** The path that {@code map}, {@code sort} and others follow: names with dots between them, or a number. */
  static Object follow(Object item, Object path, Object fallback) {
    List<Object> parts = new ArrayList<>();
    if (path instanceof Text text) {
      for (Object part : Splits.split(text, Text.of("."), -1, false).items()) {
        String name = ((Text) part).chars();
        parts.add(name.matches("\\d+") ? new BigInteger(name) : part);
      }
    } else if (path != null) {
      parts.add(path);
    }
    Object value = item;
    for (Object part : parts) {
      value = Attributes.item(value, part);
      if (fallback != null && value instanceof Undefined) {
        value = fallback;
      }
    }
    return value;
  }
}
