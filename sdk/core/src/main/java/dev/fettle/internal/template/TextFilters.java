package dev.fettle.internal.template;

import dev.fettle.internal.template.Filters.Filter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Filters of texts. */
final class TextFilters {
  private TextFilters() {}

  static void register(Map<String, Filter> all) {
    for (String name : List.of("upper", "lower", "capitalize")) {
      all.put(name, (value, arguments, run) -> {
        arguments.bind(name);
        return Letters.change(Values.soft(value), name);
      });
    }
    all.put("string", (value, arguments, run) -> Values.soft(value));
    all.put("trim", (value, arguments, run) -> Strip.strip(Values.soft(value),
        Arguments.or(arguments.bind("trim", "chars?")[0], null), true, true));
    all.put("replace", (value, arguments, run) -> {
      Object[] given = arguments.bind("replace", "old", "new", "count?");
      Object count = Arguments.or(given[2], null);
      return TextMethods.replace(Values.str(value), Values.str(given[0]), Values.str(given[1]),
          count == null ? -1 : Numbers.index(count, "count"));
    });
    all.put("center", (value, arguments, run) -> TextMethods.find(Values.soft(value), "center")
        .call(Arguments.of(Arguments.or(arguments.bind("center", "width?")[0], Numbers.of(80))), run));
    all.put("title", (value, arguments, run) -> title(Values.soft(value)));
    all.put("indent", TextFilters::indent);
    all.put("truncate", TextFilters::truncate);
    all.put("wordcount", (value, arguments, run) -> {
      String chars = Values.soft(value).chars();
      boolean[] within = new boolean[1];
      return Numbers.of(chars.codePoints().filter(c -> {
        boolean before = within[0];
        within[0] = c == '_' || Chars.isAlphabetic(c) || Chars.isNumeric(c);
        return within[0] && !before;
      }).count());
    });
    all.put("wordwrap", TextFilters::wordWrap);
    all.put("format", (value, arguments, run) -> {
      if (!arguments.positional().isEmpty() && !arguments.named().isEmpty()) {
        throw TemplateException.type("can't handle positional and keyword arguments at the same time");
      }
      Dict named = new Dict();
      arguments.named().forEach(named::put);
      return PercentFormat.format(Values.soft(value), arguments.named().isEmpty()
          ? Seq.tuple(arguments.positional().toArray()) : named);
    });
    all.put("safe", (value, arguments, run) -> Values.str(value).asSafe(true));
    all.put("escape", (value, arguments, run) -> Markup.escape(value));
    all.put("e", all.get("escape"));
    all.put("forceescape", (value, arguments, run) -> Markup.always(Values.str(value)));
    all.put("urlencode", (value, arguments, run) -> urlEncode(value));
    all.put("striptags", (value, arguments, run) -> {
      Text text = Values.str(value);
      return text.rewritten(stripTags(text.chars()));
    });
  }

  private static Text title(Text text) {
    String chars = text.chars();
    TextBuilder out = new TextBuilder();
    boolean begins = true;
    for (int i = 0; i < chars.length(); ) {
      int c = chars.codePointAt(i);
      int next = i + Character.charCount(c);
      Text letter = text.cut(i, next);
      boolean between = Chars.isSpace(c) || "-({[<".indexOf(c) >= 0;
      out.append(between ? letter : Letters.change(letter, begins ? "upper" : "lower"));
      begins = between;
      i = next;
    }
    return out.text(text.safe());
  }

  private static Object indent(Object value, Arguments arguments, Run run) {
    Object[] given = arguments.bind("indent", "width?", "first?", "blank?");
    Object width = Arguments.or(given[0], Numbers.of(4));
    Text text = TextMethods.text(value instanceof Undefined undefined ? undefinedText(undefined) : value, "indent");
    Text indention = width instanceof Text own ? own : (Text) Operators.binary("*", Text.computed(" "), width);
    boolean blank = Values.truth(Arguments.or(given[2], false));
    List<Object> lines = Splits.lines(text.plus(Text.computed("\n")), false).items();
    TextBuilder out = new TextBuilder();
    for (int i = 0; i < lines.size(); i++) {
      Text line = (Text) lines.get(i);
      boolean indented = i == 0 ? Values.truth(Arguments.or(given[1], false)) : blank || !line.isEmpty();
      out.append(i > 0 ? Text.computed("\n") : Text.EMPTY).append(indented ? indention : Text.EMPTY).append(line);
    }
    return out.text(text.safe());
  }

  private static Object undefinedText(Undefined undefined) {
    throw undefined.error();
  }

  private static Object truncate(Object value, Arguments arguments, Run run) {
    Object[] given = arguments.bind("truncate", "length?", "killwords?", "end?", "leeway?");
    int length = Numbers.index(Arguments.or(given[0], Numbers.of(255)), "length");
    Text end = Values.str(Arguments.or(given[2], Text.computed("...")));
    Object leeway = Arguments.or(given[3], null);
    int room = leeway == null ? 5 : Numbers.index(leeway, "leeway");
    if (length < end.length() || room < 0) {
      throw TemplateException.type("truncate: the length must be at least " + end.length());
    } else if (Values.length(value) <= (long) length + room) {
      return value;
    }
    Text text = TextMethods.text(value, "truncate");
    Text kept = text.cut(0, text.chars().offsetByCodePoints(0, length - end.length()));
    boolean words = !Values.truth(Arguments.or(given[1], false));
    return (words ? (Text) Splits.split(kept, Text.of(" "), 1, true).items().get(0) : kept).plus(end);
  }

  /** Lines that are longer are broken at spaces, and long words where they must be. */
  private static Object wordWrap(Object value, Arguments arguments, Run run) {
    Object[] given = arguments.bind("wordwrap", "width?", "break_long_words?", "wrapstring?", "break_on_hyphens?");
    int width = Numbers.index(Arguments.or(given[0], Numbers.of(79)), "width");
    boolean breaks = Values.truth(Arguments.or(given[1], true));
    if (width <= 0) {
      throw TemplateException.type("invalid width " + width + " (must be > 0)");
    } else if (Values.truth(Arguments.or(given[3], true)) && Values.str(value).chars().contains("-")) {
      throw new TemplateException("wordwrap of a text with hyphens is not supported: set break_on_hyphens=false");
    }
    Object wrap = Arguments.or(given[2], null);
    Text between = wrap == null ? Text.computed("\n") : Values.str(wrap);
    List<Object> all = new ArrayList<>();
    for (Object line : Splits.lines(TextMethods.text(value, "wordwrap"), false).items()) {
      List<Object> wrapped = WordWrap.lines((Text) line, width, breaks);
      all.add(TextMethods.find(between, "join").call(Arguments.of(Seq.list(wrapped)), run));
    }
    return TextMethods.find(between, "join").call(Arguments.of(Seq.list(all)), run);
  }

  private static Text urlEncode(Object value) {
    if (value instanceof Dict || value instanceof Seq) {
      List<Object> pairs = value instanceof Dict dict ? dict.pairs() : Values.items(value);
      TextBuilder out = new TextBuilder();
      for (int i = 0; i < pairs.size(); i++) {
        List<Object> pair = Values.items(pairs.get(i));
        if (pair.size() != 2) {
          throw TemplateException.type("urlencode: expected pairs, not " + pair.size() + " values");
        }
        out.append(i > 0 ? Text.computed("&") : Text.EMPTY).append(quoted(Values.str(pair.get(0)), true))
            .append(Text.computed("=")).append(quoted(Values.str(pair.get(1)), true));
      }
      return out.text();
    }
    return quoted(Values.str(value), false);
  }

  private static Text quoted(Text text, boolean query) {
    TextBuilder out = new TextBuilder();
    String chars = text.chars();
    for (int i = 0; i < chars.length(); ) {
      int c = chars.codePointAt(i);
      boolean plain = c < 128 && (Character.isLetterOrDigit(c) || "_.-~".indexOf(c) >= 0 || c == '/' && !query);
      StringBuilder quoted = new StringBuilder();
      if (!plain && !(c == ' ' && query)) {
        for (byte b : Character.toString(c).getBytes(StandardCharsets.UTF_8)) {
          quoted.append(String.format("%%%02X", b & 0xff));
        }
      }
      out.append(plain ? Character.toString(c) : c == ' ' && query ? "+" : quoted.toString(), text.originAt(i));
      i += Character.charCount(c);
    }
    return out.text();
  }

  private static String stripTags(String text) {
    StringBuilder out = new StringBuilder(text);
    for (int from = out.indexOf("<!--"); from >= 0 && out.indexOf("-->", from) >= 0; from = out.indexOf("<!--")) {
      out.delete(from, out.indexOf("-->", from) + 3);
    }
    for (int from = out.indexOf("<"); from >= 0 && out.indexOf(">", from) >= 0; from = out.indexOf("<", from)) {
      out.delete(from, out.indexOf(">", from) + 1);
    }
    String joined = Splits.split(Text.of(out.toString()), null, -1, false).items().stream().map(Object::toString)
        .collect(java.util.stream.Collectors.joining(" "));
    return joined.replace("&lt;", "<").replace("&gt;", ">").replace("&#39;", "'").replace("&#34;", "\"")
        .replace("&quot;", "\"").replace("&amp;", "&");
  }
}
