package dev.fettle.internal.template;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;

/** Python's operators. */
final class Operators {
  private static final int MOST_ITEMS = 1 << 20;

  private Operators() {}

  static Object binary(String operator, Object left, Object right) {
    if (left instanceof Text text && operator.equals("%")) {
      return PercentFormat.format(text, right);
    } else if (left instanceof Undefined undefined) {
      throw undefined.error();
    } else if (right instanceof Undefined undefined) {
      throw undefined.error();
    }
    if (Numbers.isNumber(left) && Numbers.isNumber(right)) {
      return number(operator, left, right);
    } else if (operator.equals("+") && left instanceof Text a && right instanceof Text b) {
      return a.safe() || b.safe() ? Markup.escape(a).plus(Markup.escape(b)).asSafe(true) : a.plus(b);
    } else if (operator.equals("+") && left instanceof Seq a && right instanceof Seq b && a.kind() == b.kind()
        && (a.kind() == Seq.Kind.LIST || a.kind() == Seq.Kind.TUPLE)) {
      return joined(a, b);
    } else if (operator.equals("*") && Numbers.isInteger(right)) {
      return times(left, Numbers.index(right, "a factor"));
    } else if (operator.equals("*") && Numbers.isInteger(left)) {
      return times(right, Numbers.index(left, "a factor"));
    }
    String hint = operator.equals("+") && (left instanceof Text || right instanceof Text)
        ? operatorHint(left, right) : "";
    throw TemplateException.type("unsupported operand types for " + operator + ": '" + Values.type(left) + "' and '"
        + Values.type(right) + "'" + hint);
  }

  private static String operatorHint(Object left, Object right) {
    return left == null || right == null ? " (a message or field that the template expects is empty)" : "";
  }

  private static Object number(String operator, Object left, Object right) {
    boolean whole = Numbers.isInteger(left) && Numbers.isInteger(right);
    return switch (operator) {
      case "+" -> whole ? Numbers.bounded(Numbers.integer(left).add(Numbers.integer(right)))
          : (Object) (Numbers.real(left) + Numbers.real(right));
      case "-" -> whole ? Numbers.bounded(Numbers.integer(left).subtract(Numbers.integer(right)))
          : (Object) (Numbers.real(left) - Numbers.real(right));
      case "*" -> whole ? Numbers.bounded(Numbers.integer(left).multiply(Numbers.integer(right)))
          : (Object) (Numbers.real(left) * Numbers.real(right));
      case "/" -> Numbers.divide(left, right);
      case "//" -> Numbers.floorDivide(left, right);
      case "%" -> Numbers.modulo(left, right);
      default -> Numbers.power(left, right);
    };
  }

  private static Seq joined(Seq left, Seq right) {
    check(left.items().size() + (long) right.items().size());
    List<Object> all = new ArrayList<>(left.items());
    all.addAll(right.items());
    return new Seq(all, left.kind());
  }

  private static Object times(Object value, int count) {
    if (value instanceof Text text) {
      TextBuilder.room((long) Math.max(count, 0) * text.chars().length());
      TextBuilder out = new TextBuilder();
      for (int i = 0; i < count && !text.isEmpty(); i++) {
        out.append(text);
      }
      return out.text(text.safe());
    } else if (value instanceof Seq seq && (seq.kind() == Seq.Kind.LIST || seq.kind() == Seq.Kind.TUPLE)) {
      check((long) Math.max(count, 0) * seq.items().size());
      List<Object> all = new ArrayList<>();
      for (int i = 0; i < count && !seq.items().isEmpty(); i++) {
        all.addAll(seq.items());
      }
      return new Seq(all, seq.kind());
    }
    throw TemplateException.type("unsupported operand type for *: '" + Values.type(value) + "'");
  }

  private static void check(long size) {
    if (size > MOST_ITEMS) {
      throw new TemplateException("a list of more than " + MOST_ITEMS + " items");
    }
  }

  static Object negative(Object value) {
    if (value instanceof Undefined undefined) {
      throw undefined.error();
    } else if (value instanceof Double real) {
      return -real;
    } else if (!Numbers.isInteger(value)) {
      throw TemplateException.type("bad operand type for unary -: '" + Values.type(value) + "'");
    }
    return Numbers.integer(value).negate();
  }

  static Object positive(Object value) {
    Object negative = negative(value);
    return negative instanceof BigInteger number ? number.negate() : value;
  }

  static boolean compare(String operator, Object left, Object right) {
    return switch (operator) {
      case "==" -> Values.equal(left, right);
      case "!=" -> !Values.equal(left, right);
      case "in" -> Values.contains(right, left);
      case "not in" -> !Values.contains(right, left);
      default -> {
        int sign = Values.compare(left, right, operator);
        yield !Numbers.isNan(left, right) && switch (operator) {
          case "<" -> sign < 0;
          case "<=" -> sign <= 0;
          case ">" -> sign > 0;
          default -> sign >= 0;
        };
      }
    };
  }
}
