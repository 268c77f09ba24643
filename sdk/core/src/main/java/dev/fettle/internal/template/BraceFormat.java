package dev.fettle.internal.template;

import java.math.BigInteger;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** {@code str.format}, as the sandbox allows it. */
final class BraceFormat {
  private static final Pattern SPEC =
      Pattern.compile("(?:(.)?([<>=^]))?([-+ ])?(#)?(0)?(\\d*)([,_])?(?:\\.(\\d+))?([a-zA-Z%]?)", Pattern.DOTALL);

  private final Arguments arguments;
  private int next;

  private BraceFormat(Arguments arguments) {
    this.arguments = arguments;
  }

  static Text format(Text text, Arguments arguments) {
    return new BraceFormat(arguments).run(text, 0).asSafe(text.safe());
  }

  static Text formatMap(Text text, Object mapping) {
    if (!(mapping instanceof Dict dict)) {
      throw TemplateException.type("format_map: a mapping is needed, not " + Values.type(mapping));
    }
    java.util.Map<String, Object> named = new java.util.LinkedHashMap<>();
    dict.keys().forEach(key -> named.put(Values.str(key).chars(), dict.get(key)));
    return format(text, new Arguments(java.util.List.of(), named));
  }

  private Text run(Text text, int depth) {
    if (depth > 2) {
      throw TemplateException.type("max string recursion exceeded");
    }
    String chars = text.chars();
    TextBuilder out = new TextBuilder();
    for (int i = 0; i < chars.length(); ) {
      char c = chars.charAt(i);
      if (c != '{' && c != '}') {
        int end = i;
        while (end < chars.length() && chars.charAt(end) != '{' && chars.charAt(end) != '}') {
          end++;
        }
        out.append(text, i, end);
        i = end;
      } else if (i + 1 < chars.length() && chars.charAt(i + 1) == c) {
        out.append(text, i, i + 1);
        i += 2;
      } else if (c == '}') {
        throw TemplateException.type("single '}' encountered in format string");
      } else {
        int end = close(chars, i);
        out.append(field(text.cut(i + 1, end), depth));
        i = end + 1;
      }
    }
    return out.text();
  }

  private static int close(String chars, int open) {
    int depth = 0;
    for (int i = open; i < chars.length(); i++) {
      depth += chars.charAt(i) == '{' ? 1 : chars.charAt(i) == '}' ? -1 : 0;
      if (depth == 0) {
        return i;
      }
    }
    throw TemplateException.type("expected '}' before end of string");
  }

  private Text field(Text field, int depth) {
    String chars = field.chars();
    int at = 0;
    for (int brackets = 0; at < chars.length(); at++) {
      char c = chars.charAt(at);
      brackets += c == '[' ? 1 : c == ']' ? -1 : 0;
      if (brackets == 0 && (c == ':' || c == '!')) {
        break;
      }
    }
    Object value = value(chars.substring(0, at));
    if (at < chars.length() && chars.charAt(at) == '!') {
      char conversion = at + 1 < chars.length() ? chars.charAt(at + 1) : 0;
      value = conversion == 's' ? Values.str(value) : conversion == 'r' || conversion == 'a' ? Values.reprText(value)
          : unknown(conversion);
      at += 2;
    }
    Text spec = at < chars.length() && chars.charAt(at) == ':' ? run(field.cut(at + 1), depth + 1) : Text.EMPTY;
    return formatted(value, spec.chars());
  }

  private static Object unknown(char conversion) {
    throw TemplateException.type("unknown conversion specifier '" + conversion + "'");
  }

  private Object value(String path) {
    Matcher name = Pattern.compile("^[^.\\[]*").matcher(path);
    name.find();
    String first = name.group();
    Object value;
    if (path.isEmpty() || first.matches("\\d{1,6}")) {
      int index = first.isEmpty() ? next++ : Integer.parseInt(first);
      if (index >= arguments.positional().size()) {
        throw TemplateException.type("replacement index " + index + " out of range for positional args tuple");
      }
      value = arguments.positional().get(index);
    } else if (!arguments.named().containsKey(first)) {
      throw TemplateException.type("no value for '" + first + "'");
    } else {
      value = arguments.named().get(first);
    }
    Matcher rest = Pattern.compile("\\.([^.\\[]+)|\\[([^\\]]+)\\]").matcher(path);
    for (int at = first.length(); at < path.length(); at = rest.end()) {
      if (!rest.find(at) || rest.start() != at) {
        throw TemplateException.type("a replacement field that is malformed: {" + path + "}");
      }
      String key = rest.group(2);
      value = rest.group(1) != null ? Attributes.attribute(value, rest.group(1))
          : Attributes.item(value, key.matches("\\d{1,6}") ? new BigInteger(key) : Text.of(key));
    }
    return value;
  }

  static Text formatted(Object value, String spec) {
    if (spec.isEmpty()) {
      return Values.str(value);
    }
    Matcher parts = SPEC.matcher(spec);
    if (!parts.matches() || parts.group(6).length() > 5 || parts.group(8) != null && parts.group(8).length() > 5) {
      throw TemplateException.type("invalid format specifier '" + spec + "'");
    }
    boolean number = Numbers.isNumber(value) && !(value instanceof Boolean && parts.group(9).isEmpty());
    if (!number && !(value instanceof Text)) {
      throw TemplateException.type("unsupported format string passed to " + Values.type(value));
    }
    Text body = number ? number(value, parts) : text((Text) value, parts);
    int width = parts.group(6).isEmpty() ? 0 : Integer.parseInt(parts.group(6));
    String align = parts.group(2) != null ? parts.group(2) : number ? ">" : "<";
    String fill = parts.group(2) != null && parts.group(1) != null ? parts.group(1) : parts.group(5) != null ? "0" : " ";
    boolean inner = number && (align.equals("=") || parts.group(5) != null && parts.group(2) == null);
    int missing = Math.max(0, width - body.length());
    int sign = inner && body.chars().matches("(?s)[-+ ].*") ? 1 : 0;
    int before = inner ? 0 : align.equals("<") ? 0 : align.equals("^") ? missing / 2 : missing;
    Text middle = inner ? body.cut(0, sign).plus(Text.computed(fill.repeat(missing))).plus(body.cut(sign)) : body;
    return inner ? middle : Text.computed(fill.repeat(before)).plus(middle).plus(Text.computed(fill.repeat(missing - before)));
  }

  private static Text text(Text value, Matcher parts) {
    if (!parts.group(9).isEmpty() && !parts.group(9).equals("s")) {
      throw TemplateException.type("unknown format code '" + parts.group(9) + "' for object of type 'str'");
    }
    return parts.group(8) == null ? value
        : (Text) Slices.of(value, new Object[] {null, new BigInteger(parts.group(8)), null});
  }

  private static Text number(Object value, Matcher parts) {
    char kind = parts.group(9).isEmpty() ? value instanceof Double ? 0 : 'd' : parts.group(9).charAt(0);
    if ("dxXobneEfFgG%\0".indexOf(kind) < 0) {
      throw TemplateException.type("unknown format code '" + kind + "' for object of type '" + Values.type(value) + "'");
    }
    String sign = parts.group(3) == null ? "" : parts.group(3);
    int precision = parts.group(8) == null ? -1 : Integer.parseInt(parts.group(8));
    String digits;
    boolean negative;
    if ("dxXobn".indexOf(kind) >= 0) {
      if (!Numbers.isInteger(value)) {
        throw TemplateException.type("unknown format code '" + kind + "' for object of type 'float'");
      }
      BigInteger whole = Numbers.integer(value);
      negative = whole.signum() < 0;
      int radix = kind == 'x' || kind == 'X' ? 16 : kind == 'o' ? 8 : kind == 'b' ? 2 : 10;
      digits = whole.abs().toString(radix);
      digits = kind == 'X' ? digits.toUpperCase(Locale.ROOT) : digits;
    } else {
      double real = Numbers.real(value) * (kind == '%' ? 100 : 1);
      negative = real < 0 || real == 0 && 1 / real < 0;
      digits = kind == 0 && precision < 0 ? PythonFloat.repr(Math.abs(real))
          : PercentFormat.real(Math.abs(real), kind == 0 ? 'g' : kind == '%' ? 'f' : kind, precision < 0 ? 6 : precision, false)
              + (kind == '%' ? "%" : "");
      digits = kind == 0 && digits.matches("\\d+") ? digits + ".0" : digits;
    }
    if (parts.group(7) != null) {
      int point = digits.indexOf('.') < 0 ? digits.length() : digits.indexOf('.');
      digits = digits.substring(0, point).replaceAll("(?<=\\d)(?=(\\d{3})+$)", parts.group(7)) + digits.substring(point);
    }
    return Text.computed(PercentFormat.sign(negative, sign) + digits);
  }
}
