package dev.fettle.internal.template;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;

/** Python's numbers: integers of any size, and floats. */
final class Numbers {
  private static final int MOST_BITS = 1 << 14;

  private Numbers() {}

  static boolean isNumber(Object value) {
    return value instanceof BigInteger || value instanceof Double || value instanceof Boolean;
  }

  static boolean isInteger(Object value) {
    return value instanceof BigInteger || value instanceof Boolean;
  }

  static BigInteger integer(Object value) {
    return value instanceof Boolean bool ? (bool ? BigInteger.ONE : BigInteger.ZERO) : (BigInteger) value;
  }

  static double real(Object value) {
    if (value instanceof Double real) {
      return real;
    }
    double result = integer(value).doubleValue();
    if (Double.isInfinite(result)) {
      throw new TemplateException("int too large to convert to float");
    }
    return result;
  }

  static BigInteger of(long value) {
    return BigInteger.valueOf(value);
  }

  /** A number that counts or points at something; what is out of reach becomes the nearest that is not. */
  static int index(Object value, String what) {
    if (!isInteger(value)) {
      throw TemplateException.type(what + " must be an integer, not " + Values.type(value));
    }
    BigInteger number = integer(value);
    return number.bitLength() > 31 ? number.signum() * Integer.MAX_VALUE : number.intValue();
  }

  static BigInteger bounded(BigInteger value) {
    if (value.bitLength() > MOST_BITS) {
      throw new TemplateException("a number of more than " + MOST_BITS + " bits");
    }
    return value;
  }

  static Object power(Object base, Object exponent) {
    if (isInteger(base) && isInteger(exponent) && integer(exponent).signum() >= 0) {
      BigInteger number = integer(base);
      BigInteger times = integer(exponent);
      if (number.bitLength() > 1 && times.bitLength() > 14) {
        throw new TemplateException("a number of more than " + MOST_BITS + " bits");
      }
      int n = number.bitLength() > 1 ? times.intValue() : times.signum() == 0 ? 0 : times.testBit(0) ? 1 : 2;
      if ((long) n * number.bitLength() > 4L * MOST_BITS) {
        throw new TemplateException("a number of more than " + MOST_BITS + " bits");
      }
      return bounded(number.pow(n));
    }
    if (real(base) == 0 && real(exponent) < 0) {
      throw new TemplateException("0.0 cannot be raised to a negative power");
    }
    return Math.pow(real(base), real(exponent));
  }

  static Object floorDivide(Object left, Object right) {
    if (isInteger(left) && isInteger(right)) {
      BigInteger[] parts = integer(left).divideAndRemainder(nonZero(integer(right)));
      boolean below = parts[1].signum() != 0 && parts[1].signum() != integer(right).signum();
      return below ? parts[0].subtract(BigInteger.ONE) : parts[0];
    }
    return Math.floor(real(left) / nonZero(real(right)));
  }

  static Object modulo(Object left, Object right) {
    if (isInteger(left) && isInteger(right)) {
      BigInteger divisor = nonZero(integer(right));
      BigInteger rest = integer(left).remainder(divisor);
      return rest.signum() != 0 && rest.signum() != divisor.signum() ? rest.add(divisor) : rest;
    }
    double divisor = nonZero(real(right));
    double rest = real(left) % divisor;
    return rest != 0 && rest < 0 != divisor < 0 ? rest + divisor : rest == 0 ? Math.copySign(0, divisor) : rest;
  }

  static double divide(Object left, Object right) {
    if (isInteger(left) && isInteger(right)) {
      return new BigDecimal(integer(left)).divide(new BigDecimal(nonZero(integer(right))), new MathContext(40)).doubleValue();
    }
    return real(left) / nonZero(real(right));
  }

  private static BigInteger nonZero(BigInteger value) {
    if (value.signum() == 0) {
      throw new TemplateException("division by zero");
    }
    return value;
  }

  private static double nonZero(double value) {
    if (value == 0) {
      throw new TemplateException("division by zero");
    }
    return value;
  }

  static int compare(Object left, Object right) {
    if (isInteger(left) && isInteger(right)) {
      return integer(left).compareTo(integer(right));
    }
    double a = left instanceof Double real ? real : Double.NaN;
    double b = right instanceof Double real ? real : Double.NaN;
    boolean exact = !Double.isInfinite(a) && !Double.isInfinite(b) && !(left instanceof Double && Double.isNaN(a))
        && !(right instanceof Double && Double.isNaN(b));
    return exact ? decimal(left).compareTo(decimal(right)) : Double.compare(number(left), number(right));
  }

  /** Whether one of them is no number that can be compared. */
  static boolean isNan(Object left, Object right) {
    return left instanceof Double a && Double.isNaN(a) || right instanceof Double b && Double.isNaN(b);
  }

  private static double number(Object value) {
    return value instanceof Double real ? real : integer(value).doubleValue();
  }

  private static BigDecimal decimal(Object value) {
    return value instanceof Double real ? new BigDecimal(real) : new BigDecimal(integer(value));
  }

  /** {@code int(text, base)}, or null where the text is no such number. */
  static BigInteger parse(String text, int base) {
    String body = Strip.spaces(text);
    boolean negative = body.startsWith("-");
    body = negative || body.startsWith("+") ? body.substring(1) : body;
    String prefix = body.length() > 2 ? body.substring(0, 2).toLowerCase(java.util.Locale.ROOT) : "";
    int given = prefix.equals("0x") ? 16 : prefix.equals("0o") ? 8 : prefix.equals("0b") ? 2 : 0;
    int radix = base == 0 ? given == 0 ? 10 : given : base;
    body = given == radix && given != 0 ? body.substring(2) : body;
    if (!body.matches("[0-9A-Za-z]+(_[0-9A-Za-z]+)*") || body.length() > 4300 || radix < 2 || radix > 36) {
      return null;
    }
    try {
      BigInteger number = new BigInteger(body.replace("_", ""), radix);
      return negative ? number.negate() : number;
    } catch (NumberFormatException e) {
      return null;
    }
  }

  /** {@code float(text)}, or null where the text is no such number. */
  static Double parseReal(String text) {
    String body = Strip.spaces(text).toLowerCase(java.util.Locale.ROOT);
    if (body.matches("[+-]?(inf|infinity)")) {
      return body.startsWith("-") ? Double.NEGATIVE_INFINITY : Double.POSITIVE_INFINITY;
    } else if (body.matches("[+-]?nan")) {
      return Double.NaN;
    }
    return body.length() < 1000 && body.matches("[+-]?(\\d+(_\\d+)*\\.?(\\d+(_\\d+)*)?|\\.\\d+(_\\d+)*)(e[+-]?\\d+)?")
        ? Double.valueOf(body.replace("_", "")) : null;
  }
}
