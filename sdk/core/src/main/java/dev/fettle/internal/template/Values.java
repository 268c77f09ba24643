package dev.fettle.internal.template;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** What Python's built-in functions say about values. None is {@code null}. */
final class Values {
  private static final int DEEPEST = 200;

  private Values() {}

  static boolean truth(Object value) {
    if (value instanceof Boolean bool) {
      return bool;
    } else if (value instanceof Text text) {
      return !text.isEmpty();
    } else if (value instanceof Seq seq) {
      return !seq.items().isEmpty();
    } else if (value instanceof Dict dict) {
      return dict.size() > 0;
    } else if (value instanceof BigInteger number) {
      return number.signum() != 0;
    } else if (value instanceof Double real) {
      return real != 0;
    }
    return value != null && !(value instanceof Undefined);
  }

  static boolean equal(Object left, Object right) {
    if (Numbers.isNumber(left) && Numbers.isNumber(right)) {
      return !Numbers.isNan(left, right) && Numbers.compare(left, right) == 0;
    }
    return left == null ? right == null : left.equals(right);
  }

  /** Less than zero, zero or more, as Python orders values of the same kind. */
  static int compare(Object left, Object right, String operator) {
    if (left instanceof Undefined undefined) {
      throw undefined.error();
    } else if (right instanceof Undefined undefined) {
      throw undefined.error();
    } else if (Numbers.isNumber(left) && Numbers.isNumber(right)) {
      return Numbers.compare(left, right);
    } else if (left instanceof Text a && right instanceof Text b) {
      return compare(a.chars(), b.chars());
    } else if (left instanceof Seq a && right instanceof Seq b && a.kind() == b.kind() && a.kind() != Seq.Kind.RANGE) {
      for (int i = 0; i < Math.min(a.items().size(), b.items().size()); i++) {
        if (!equal(a.items().get(i), b.items().get(i))) {
          return compare(a.items().get(i), b.items().get(i), operator);
        }
      }
      return Integer.compare(a.items().size(), b.items().size());
    }
    throw TemplateException.type("'" + operator + "' not supported between instances of '" + type(left) + "' and '"
        + type(right) + "'");
  }

  /** By code points, which differs from Java's order beyond the first plane. */
  private static int compare(String a, String b) {
    int n = Math.min(a.length(), b.length());
    for (int i = 0; i < n; i++) {
      char x = a.charAt(i);
      char y = b.charAt(i);
      if (x != y) {
        boolean pair = Character.isSurrogate(x);
        return pair == Character.isSurrogate(y) ? x - y : pair ? 1 : -1;
      }
    }
    return a.length() - b.length();
  }

  /** The items of what a loop may go through. */
  static List<Object> items(Object value) {
    if (value instanceof Seq seq) {
      return seq.items();
    } else if (value instanceof Dict dict) {
      return dict.keys();
    } else if (value instanceof Once once) {
      return once.take();
    } else if (value instanceof Undefined) {
      return List.of();
    } else if (value instanceof Text text) {
      List<Object> letters = new ArrayList<>();
      for (int i = 0; i < text.chars().length(); ) {
        int next = i + Character.charCount(text.chars().codePointAt(i));
        letters.add(text.cut(i, next));
        i = next;
      }
      return letters;
    }
    throw TemplateException.type("'" + type(value) + "' object is not iterable");
  }

  static boolean iterable(Object value) {
    return value instanceof Seq || value instanceof Dict || value instanceof Once || value instanceof Undefined
        || value instanceof Text;
  }

  static int length(Object value) {
    if (value instanceof Text text) {
      return text.length();
    } else if (value instanceof Seq seq) {
      return seq.items().size();
    } else if (value instanceof Dict dict) {
      return dict.size();
    } else if (value instanceof Undefined) {
      return 0;
    } else if (value instanceof Loop loop) {
      return loop.length();
    }
    throw TemplateException.type("object of type '" + type(value) + "' has no len()");
  }

  static boolean contains(Object container, Object value) {
    if (container instanceof Text text) {
      if (!(value instanceof Text part)) {
        throw TemplateException.type("'in <string>' requires string as left operand, not " + type(value));
      }
      return text.chars().contains(part.chars());
    } else if (container instanceof Dict dict) {
      return dict.has(value);
    } else if (!iterable(container)) {
      throw TemplateException.type("argument of type '" + type(container) + "' is not iterable");
    }
    return items(container).stream().anyMatch(item -> equal(item, value));
  }

  /** Python's {@code str}. */
  static Text str(Object value) {
    if (value instanceof Text text) {
      return text.asSafe(false);
    } else if (value instanceof Undefined) {
      return Text.EMPTY;
    }
    TextBuilder out = new TextBuilder();
    repr(value, out, 0);
    return out.text();
  }

  /** As {@link #str(Object)}, which leaves markup what it is. */
  static Text soft(Object value) {
    return value instanceof Text text ? text : str(value);
  }

  static String repr(Object value) {
    TextBuilder out = new TextBuilder();
    repr(value, out, 0);
    return out.text().chars();
  }

  static Text reprText(Object value) {
    TextBuilder out = new TextBuilder();
    repr(value, out, 0);
    return out.text();
  }

  private static void repr(Object value, TextBuilder out, int depth) {
    if (depth > DEEPEST) {
      throw new TemplateException("a value of more than " + DEEPEST + " levels");
    } else if (value instanceof Text text) {
      if (text.safe()) {
        frame(out, "Markup(");
      }
      Chars.repr(text, out);
      if (text.safe()) {
        frame(out, ")");
      }
    } else if (value instanceof Seq seq && seq.kind() == Seq.Kind.RANGE) {
      List<Object> numbers = seq.items();
      BigInteger first = numbers.isEmpty() ? BigInteger.ZERO : (BigInteger) numbers.get(0);
      BigInteger step = numbers.size() < 2 ? BigInteger.ONE : ((BigInteger) numbers.get(1)).subtract(first);
      frame(out, "range(" + first + ", " + first.add(step.multiply(Numbers.of(numbers.size())))
          + (step.equals(BigInteger.ONE) ? ")" : ", " + step + ")"));
    } else if (value instanceof Seq seq) {
      boolean tuple = seq.kind() == Seq.Kind.TUPLE;
      frame(out, tuple ? "(" : seq.kind().isView() ? type(seq) + "([" : "[");
      for (int i = 0; i < seq.items().size(); i++) {
        frame(out, i > 0 ? ", " : "");
        repr(seq.items().get(i), out, depth + 1);
      }
      frame(out, tuple ? (seq.items().size() == 1 ? ",)" : ")") : seq.kind().isView() ? "])" : "]");
    } else if (value instanceof Dict dict) {
      frame(out, "{");
      pairs(dict.pairs(), out, depth);
      frame(out, "}");
    } else if (value instanceof Namespace namespace) {
      List<Object> pairs = new ArrayList<>();
      for (Map.Entry<String, Object> entry : namespace.attributes().entrySet()) {
        pairs.add(Seq.tuple(Text.of(entry.getKey()), entry.getValue()));
      }
      frame(out, "<Namespace {");
      pairs(pairs, out, depth);
      frame(out, "}>");
    } else {
      frame(out, value == null ? "None" : value instanceof Boolean bool ? bool ? "True" : "False"
          : value instanceof Double real ? PythonFloat.repr(real) : value instanceof BigInteger ? value.toString()
          : value instanceof Undefined ? "Undefined" : value instanceof Macro || value instanceof Loop ? value.toString()
          : "<" + type(value) + ">");
    }
  }

  private static void pairs(List<Object> pairs, TextBuilder out, int depth) {
    for (int i = 0; i < pairs.size(); i++) {
      List<Object> pair = ((Seq) pairs.get(i)).items();
      frame(out, i > 0 ? ", " : "");
      repr(pair.get(0), out, depth + 1);
      frame(out, ": ");
      repr(pair.get(1), out, depth + 1);
    }
  }

  private static void frame(TextBuilder out, String text) {
    out.append(text, new Origin(Origin.NOBODY, Origin.Field.COMPUTED));
  }

  /** The name of a value's type in Python. */
  static String type(Object value) {
    if (value instanceof Seq seq) {
      return switch (seq.kind()) {
        case LIST -> "list";
        case TUPLE -> "tuple";
        case RANGE -> "range";
        case ITEMS -> "dict_items";
        case KEYS -> "dict_keys";
        case VALUES -> "dict_values";
      };
    }
    return value == null ? "NoneType" : value instanceof Text text ? text.safe() ? "Markup" : "str"
        : value instanceof Dict ? "dict" : value instanceof Boolean ? "bool" : value instanceof BigInteger ? "int"
        : value instanceof Double ? "float" : value instanceof Once ? "generator" : value instanceof Namespace
        ? "Namespace" : value instanceof Loop ? "LoopContext" : value instanceof Undefined ? "Undefined" : "function";
  }
}
