package dev.fettle.internal.template;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** {@code text % values}. */
final class PercentFormat {
  private static final Pattern DIRECTIVE =
      Pattern.compile("%(?:\\(([^)]*)\\))?([-+ 0#]*)(\\*|\\d*)(?:\\.(\\*|\\d*))?[hlL]?(.?)", Pattern.DOTALL);
  private static final int WIDEST = 100_000;

  private final List<Object> values;
  private final Object given;
  private int next;

  private PercentFormat(Object given) {
    this.given = given;
    this.values = given instanceof Seq seq && seq.kind() == Seq.Kind.TUPLE ? seq.items() : Collections.singletonList(given);
  }

  static Text format(Text text, Object given) {
    return new PercentFormat(given).run(text);
  }

  private Text run(Text text) {
    TextBuilder out = new TextBuilder();
    Matcher matcher = DIRECTIVE.matcher(text.chars());
    int from = 0;
    boolean named = false;
    while (matcher.find(from)) {
      out.append(text, from, matcher.start());
      named |= matcher.group(1) != null;
      out.append(directive(matcher, text));
      from = matcher.end();
    }
    if (!named && next < values.size() && !(given instanceof Dict || given instanceof Seq seq && seq.kind() == Seq.Kind.LIST)) {
      throw TemplateException.type("not all arguments converted during string formatting");
    }
    return out.append(text, from, text.chars().length()).text(text.safe());
  }

  private Text directive(Matcher matcher, Text format) {
    char kind = matcher.group(5).isEmpty() ? 0 : matcher.group(5).charAt(0);
    if (kind == '%') {
      return format.cut(matcher.end() - 1, matcher.end());
    }
    String flags = matcher.group(2);
    int width = number(matcher.group(3));
    int precision = matcher.group(4) == null ? -1 : number(matcher.group(4));
    Object value;
    if (matcher.group(1) != null) {
      if (!(given instanceof Dict dict)) {
        throw TemplateException.type("format requires a mapping");
      } else if (!dict.has(Text.of(matcher.group(1)))) {
        throw TemplateException.type("no value for '" + matcher.group(1) + "'");
      }
      value = dict.get(Text.of(matcher.group(1)));
    } else {
      value = take();
    }
    boolean left = flags.contains("-");
    if (width < 0) {
      left = true;
      width = -width;
    }
    Text body = body(kind, value, flags, precision);
    boolean numeric = "diueEfFgGxXo".indexOf(kind) >= 0;
    return padded(body, width, left ? '<' : '>', numeric && flags.contains("0") && !left);
  }

  private Text body(char kind, Object value, String flags, int precision) {
    switch (kind) {
      case 's', 'r', 'a' -> {
        Text text = kind == 's' ? Values.str(value) : Values.reprText(value);
        return precision < 0 ? text : (Text) Slices.of(text, new Object[] {null, Numbers.of(precision), null});
      }
      case 'c' -> {
        return value instanceof Text text ? text : Text.computed(Character.toString(Numbers.index(value, "%c")));
      }
      case 'd', 'i', 'u', 'x', 'X', 'o' -> {
        if (!Numbers.isNumber(value) || kind != 'd' && kind != 'i' && kind != 'u' && !Numbers.isInteger(value)) {
          throw TemplateException.type("%" + kind + " format: a number is required, not " + Values.type(value));
        }
        BigInteger number = value instanceof Double real ? new BigDecimal(real).toBigInteger() : Numbers.integer(value);
        int radix = kind == 'x' || kind == 'X' ? 16 : kind == 'o' ? 8 : 10;
        String digits = number.abs().toString(radix);
        digits = "0".repeat(Math.max(0, Math.min(precision, WIDEST) - digits.length())) + digits;
        String prefix = flags.contains("#") && radix != 10 ? radix == 16 ? "0x" : "0o" : "";
        String all = prefix + digits;
        return Text.computed(sign(number.signum() < 0, flags) + (kind == 'X' ? all.toUpperCase(Locale.ROOT) : all));
      }
      case 'e', 'E', 'f', 'F', 'g', 'G' -> {
        double real = Numbers.real(Filters.number(value));
        return Text.computed(sign(real < 0 || real == 0 && 1 / real < 0, flags)
            + real(Math.abs(real), kind, precision < 0 ? 6 : precision, flags.contains("#")));
      }
      default -> throw TemplateException.type(kind == 0 ? "incomplete format" : "unsupported format character '" + kind + "'");
    }
  }

  private Object take() {
    if (next >= values.size()) {
      throw TemplateException.type("not enough arguments for format string");
    }
    return values.get(next++);
  }

  private int number(String digits) {
    int value = digits.equals("*") ? Numbers.index(take(), "*") : digits.isEmpty() ? 0
        : digits.length() > 6 ? Integer.MAX_VALUE : Integer.parseInt(digits);
    if (value > WIDEST || value < -WIDEST) {
      throw new TemplateException("a width of more than " + WIDEST);
    }
    return value;
  }

  static String sign(boolean negative, String flags) {
    return negative ? "-" : flags.contains("+") ? "+" : flags.contains(" ") ? " " : "";
  }

  static Text padded(Text body, int width, char align, boolean zeros) {
    int missing = width - body.length();
    if (missing <= 0) {
      return body;
    }
    if (zeros) {
      int sign = body.chars().matches("(?s)[-+ ].*") ? 1 : 0;
      return body.cut(0, sign).plus(Text.computed("0".repeat(missing))).plus(body.cut(sign));
    }
    int before = align == '<' ? 0 : align == '^' ? missing / 2 : missing;
    return Text.computed(" ".repeat(before)).plus(body).plus(Text.computed(" ".repeat(missing - before)));
  }

  static String fixed(double value, int precision) {
    return new BigDecimal(value).setScale(precision, RoundingMode.HALF_EVEN).toPlainString();
  }

  /** A number without its sign. */
  static String real(double value, char kind, int precision, boolean alternative) {
    if (Double.isNaN(value) || Double.isInfinite(value)) {
      String name = Double.isNaN(value) ? "nan" : "inf";
      return Character.isUpperCase(kind) ? name.toUpperCase(Locale.ROOT) : name;
    }
    String text = switch (Character.toLowerCase(kind)) {
      case 'f' -> fixed(value, precision);
      case 'e' -> exponential(value, precision);
      default -> general(value, precision == 0 ? 1 : precision, alternative);
    };
    return Character.isUpperCase(kind) ? text.toUpperCase(Locale.ROOT) : text;
  }

  private static String exponential(double value, int precision) {
    BigDecimal rounded = value == 0 ? BigDecimal.ZERO
        : new BigDecimal(value).round(new MathContext(precision + 1, RoundingMode.HALF_EVEN));
    int exponent = value == 0 ? 0 : rounded.precision() - rounded.scale() - 1;
    String digits = value == 0 ? "0" : rounded.unscaledValue().toString();
    digits = (digits + "0".repeat(Math.max(0, precision + 1 - digits.length()))).substring(0, precision + 1);
    return digits.charAt(0) + (precision > 0 ? "." + digits.substring(1) : "") + "e" + (exponent < 0 ? "-" : "+")
        + (Math.abs(exponent) < 10 ? "0" : "") + Math.abs(exponent);
  }

  private static String general(double value, int precision, boolean alternative) {
    String scientific = exponential(value, precision - 1);
    int exponent = Integer.parseInt(scientific.substring(scientific.indexOf('e') + 1));
    if (exponent >= -4 && exponent < precision) {
      String plain = fixed(value, precision - 1 - exponent);
      return alternative ? plain : stripped(plain);
    }
    int at = scientific.indexOf('e');
    return (alternative ? scientific.substring(0, at) : stripped(scientific.substring(0, at))) + scientific.substring(at);
  }

  private static String stripped(String digits) {
    return digits.contains(".") ? digits.replaceFirst("\\.?0+$", "") : digits;
  }
}
