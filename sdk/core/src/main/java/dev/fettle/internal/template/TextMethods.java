package dev.fettle.internal.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.IntPredicate;

/** The methods of Python's {@code str}. */
final class TextMethods {
  private static final Set<String> WITH_NAMES = Set.of("split", "rsplit", "splitlines", "format");

  private TextMethods() {}

  /** The method of this name, or null. */
  static Function find(Text text, String name) {
    Function method = method(text, name);
    return method == null || WITH_NAMES.contains(name) ? method : method.withoutNames(name);
  }

  private static Function method(Text text, String name) {
    return switch (name) {
      case "strip", "lstrip", "rstrip" -> (arguments, run) -> Strip.strip(text,
          Arguments.or(arguments.bind(name, "chars?")[0], null), !name.equals("rstrip"), !name.equals("lstrip"));
      case "upper", "lower", "capitalize", "title", "swapcase", "casefold" -> (arguments, run) -> {
        arguments.bind(name);
        return Letters.change(text, name);
      };
      case "startswith", "endswith" -> (arguments, run) -> affix(text, name, arguments);
      case "removeprefix", "removesuffix" -> (arguments, run) -> {
        Text affix = text(arguments.bind(name, "affix")[0], name);
        boolean prefix = name.equals("removeprefix");
        boolean has = prefix ? text.chars().startsWith(affix.chars()) : text.chars().endsWith(affix.chars());
        int n = has ? affix.chars().length() : 0;
        return prefix ? text.cut(n) : text.cut(0, text.chars().length() - n);
      };
      case "split", "rsplit" -> (arguments, run) -> {
        Object[] given = arguments.bind(name, "sep?", "maxsplit?");
        return Splits.split(text, Arguments.or(given[0], null),
            Numbers.index(Arguments.or(given[1], Numbers.of(-1)), "maxsplit"), name.equals("rsplit"));
      };
      case "splitlines" -> (arguments, run) ->
          Splits.lines(text, Values.truth(Arguments.or(arguments.bind(name, "keepends?")[0], false)));
      case "partition", "rpartition" -> (arguments, run) ->
          Splits.partition(text, text(arguments.bind(name, "sep")[0], name), name.equals("rpartition"));
      case "replace" -> (arguments, run) -> {
        Object[] given = arguments.bind(name, "old", "new", "count?");
        return replace(text, text(given[0], name), text(given[1], name), count(Arguments.or(given[2], null)));
      };
      case "join" -> (arguments, run) -> {
        TextBuilder out = new TextBuilder();
        List<Object> items = Values.items(arguments.bind(name, "iterable")[0]);
        for (int i = 0; i < items.size(); i++) {
          out.append(i > 0 ? text : Text.EMPTY).append(text(items.get(i), "join"));
        }
        return out.text(text.safe());
      };
      case "find", "rfind", "index", "rindex", "count" -> (arguments, run) -> search(text, name, arguments);
      case "center", "ljust", "rjust", "zfill" -> (arguments, run) -> pad(text, name, arguments);
      case "format" -> (arguments, run) -> BraceFormat.format(text, arguments);
      case "format_map" -> (arguments, run) -> BraceFormat.formatMap(text, arguments.bind(name, "mapping")[0]);
      case "isalpha" -> all(text, Chars::isAlphabetic);
      case "isdigit" -> all(text, Chars::isDigit);
      case "isnumeric" -> all(text, Chars::isNumeric);
      case "isdecimal" -> all(text, c -> Character.getType(c) == Character.DECIMAL_DIGIT_NUMBER);
      case "isalnum" -> all(text, c -> Chars.isAlphabetic(c) || Chars.isNumeric(c));
      case "isspace" -> all(text, Chars::isSpace);
      case "isascii" -> (arguments, run) -> text.chars().chars().allMatch(c -> c < 128);
      case "isprintable" -> (arguments, run) -> text.chars().codePoints().allMatch(Chars::isPrintable);
      case "isidentifier" -> (arguments, run) -> Chars.isIdentifier(text.chars());
      case "isupper" -> (arguments, run) -> Letters.isUpper(text.chars());
      case "islower" -> (arguments, run) -> Letters.isLower(text.chars());
      case "istitle" -> (arguments, run) -> !text.isEmpty() && Letters.change(text, "title").equals(text)
          && text.chars().codePoints().anyMatch(Chars::isCased);
      default -> null;
    };
  }

  private static Function all(Text text, IntPredicate test) {
    return (arguments, run) -> !text.isEmpty() && text.chars().codePoints().allMatch(test);
  }

  private static int count(Object value) {
    return value == null ? -1 : Numbers.index(value, "count");
  }

  static Text text(Object value, String what) {
    if (value instanceof Text text) {
      return text;
    }
    throw TemplateException.type(what + ": a text is needed, not " + Values.type(value));
  }

  private static Object affix(Text text, String name, Arguments arguments) {
    Object[] given = arguments.bind(name, "affix", "start?", "end?");
    Text part = (Text) Slices.of(text, new Object[] {Arguments.or(given[1], null), Arguments.or(given[2], null), null});
    List<Object> affixes = given[0] instanceof Seq seq && seq.kind() == Seq.Kind.TUPLE ? seq.items()
        : new ArrayList<>(List.of(text(given[0], name)));
    return affixes.stream().map(affix -> text(affix, name).chars()).anyMatch(affix -> name.equals("startswith")
        ? part.chars().startsWith(affix) : part.chars().endsWith(affix));
  }

  /** Replaces a text up to {@code count} times; a negative count is no limit. */
  static Text replace(Text text, Text old, Text with, int count) {
    TextBuilder out = new TextBuilder();
    String chars = text.chars();
    int from = 0;
    for (int n = 0; count < 0 || n < count; n++) {
      if (old.isEmpty()) {
        if (n > 0 && from >= chars.length()) {
          break;
        }
        int next = n == 0 ? 0 : from + Character.charCount(chars.codePointAt(from));
        out.append(text, from, next).append(with);
        from = next;
        continue;
      }
      int at = chars.indexOf(old.chars(), from);
      if (at < 0) {
        break;
      }
      out.append(text, from, at).append(with);
      from = at + old.chars().length();
    }
    return out.append(text, from, chars.length()).text(text.safe());
  }

  private static Object search(Text text, String name, Arguments arguments) {
    Object[] given = arguments.bind(name, "sub", "start?", "end?");
    String sub = text(given[0], name).chars();
    Object[] range = {Arguments.or(given[1], null), Arguments.or(given[2], null), null};
    String part = ((Text) Slices.of(text, range)).chars();
    if (name.equals("count")) {
      int n = sub.isEmpty() ? part.codePointCount(0, part.length()) + 1 : 0;
      for (int at = sub.isEmpty() ? -1 : part.indexOf(sub); at >= 0; at = part.indexOf(sub, at + sub.length())) {
        n++;
      }
      return Numbers.of(n);
    }
    int at = name.startsWith("r") ? part.lastIndexOf(sub) : part.indexOf(sub);
    if (at < 0 && name.endsWith("index")) {
      throw TemplateException.type("substring not found");
    }
    int start = range[0] == null ? 0 : Numbers.index(range[0], "start");
    int skipped = start < 0 ? Math.max(0, text.length() + start) : start;
    return Numbers.of(at < 0 ? -1 : skipped + part.codePointCount(0, at));
  }

  private static Object pad(Text text, String name, Arguments arguments) {
    Object[] given = arguments.bind(name, "width", "fillchar?");
    int missing = Math.max(0, Numbers.index(given[0], "width") - text.length());
    Text fill = name.equals("zfill") ? Text.computed("0") : text(Arguments.or(given[1], Text.computed(" ")), name);
    if (fill.length() != 1) {
      throw TemplateException.type("the fill character must be exactly one character long");
    }
    boolean sign = name.equals("zfill") && (text.chars().startsWith("-") || text.chars().startsWith("+"));
    int width = missing + text.length();
    int left = switch (name) {
      case "ljust" -> 0;
      case "center" -> missing / 2 + (missing & width & 1);
      default -> missing;
    };
    Text all = (Text) Operators.binary("*", fill, Numbers.of(missing));
    int cut = left * fill.chars().length();
    return text.cut(0, sign ? 1 : 0).plus(all.cut(0, cut)).plus(text.cut(sign ? 1 : 0)).plus(all.cut(cut));
  }
}
