package dev.fettle.internal.template;

import dev.fettle.internal.template.Token.Kind;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Cuts a template into tokens, with {@code trim_blocks} and {@code lstrip_blocks} as transformers sets them. */
final class Lexer {
  private static final String SPACE =
      "[\\x09-\\x0d\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]*";
  private static final Pattern RAW = Pattern.compile("\\{%([-+]?)" + SPACE + "raw" + SPACE + "(?:-%\\}" + SPACE + "|%\\})");
  private static final Pattern END_RAW =
      Pattern.compile("\\{%([-+]?)" + SPACE + "endraw" + SPACE + "(?:\\+%\\}|-%\\}" + SPACE + "|%\\}\\n?)");
  private static final Pattern FLOAT =
      Pattern.compile("(?<!\\.)(?:\\d+_)*\\d+(?:(?:\\.(?:\\d+_)*\\d+)?[eE][+-]?(?:\\d+_)*\\d+|\\.(?:\\d+_)*\\d+)");
  private static final Pattern INTEGER = Pattern.compile("0[bB](?:_?[01])+|0[oO](?:_?[0-7])+|0[xX](?:_?[0-9a-fA-F])+"
      + "|[1-9](?:_?\\d)*|0(?:_?0)*");
  private static final List<String> OPERATORS = List.of("//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~",
      "[", "]", "(", ")", "{", "}", ">", "<", "=", ".", ":", "|", ",", ";");

  private final String source;
  private final List<Token> tokens = new ArrayList<>();
  private int at;
  private int line = 1;
  private int lineStart;
  private int counted;
  private boolean lineStarting = true;

  private Lexer(String source) {
    this.source = source;
  }

  static List<Token> tokens(String template) {
    String source = template.replace("\r\n", "\n").replace('\r', '\n');
    Lexer lexer = new Lexer(source.endsWith("\n") ? source.substring(0, source.length() - 1) : source);
    while (lexer.at < lexer.source.length()) {
      lexer.next();
    }
    lexer.add(Kind.END, "", lexer.source.length());
    return lexer.tokens;
  }

  /** Text up to a tag, and the tag. */
  private void next() {
    int tag = at;
    while (tag < source.length() && !(source.charAt(tag) == '{' && tag + 1 < source.length()
        && "{%#".indexOf(source.charAt(tag + 1)) >= 0)) {
      tag++;
    }
    if (tag == source.length()) {
      data(at, tag);
      at = tag;
      return;
    }
    char kind = source.charAt(tag + 1);
    char sign = tag + 2 < source.length() ? source.charAt(tag + 2) : ' ';
    text(tag, sign, kind == '{');
    Matcher raw = RAW.matcher(source).region(tag, source.length());
    if (raw.lookingAt()) {
      move(raw.end());
      Matcher end = END_RAW.matcher(source);
      if (!end.find(at)) {
        throw error("a raw block without its end");
      }
      text(end.start(), end.group(1).isEmpty() ? ' ' : end.group(1).charAt(0), false);
      move(end.end());
      return;
    }
    int begin = tag + (sign == '-' || sign == '+' ? 3 : 2);
    if (kind == '#') {
      comment(begin);
    } else {
      add(kind == '{' ? Kind.VARIABLE_BEGIN : Kind.BLOCK_BEGIN, "", tag);
      at = begin;
      expression(kind == '{');
    }
  }

  /** The text before a tag, less what white space control takes off its end. */
  private void text(int tag, char sign, boolean variable) {
    int end = tag;
    if (sign == '-') {
      while (end > at && Chars.isSpace(source.charAt(end - 1))) {
        end--;
      }
    } else if (sign != '+' && !variable) {
      int start = tag;
      while (start > at && source.charAt(start - 1) != '\n') {
        start--;
      }
      boolean begins = start > at || lineStarting;
      if (begins && source.substring(start, tag).chars().allMatch(Chars::isSpace)) {
        end = start;
      }
    }
    data(at, end);
    at = tag;
  }

  private void data(int from, int to) {
    if (to > from) {
      add(Kind.DATA, source.substring(from, to), from);
    }
  }

  private void comment(int begin) {
    int end = source.indexOf("#}", begin);
    if (end < 0) {
      throw error("a comment without its end");
    }
    move(afterEnd(end > begin ? source.charAt(end - 1) : ' ', end + 2, true));
  }

  /** Where text goes on after a tag: white space, or one line break, may be left out. */
  private int afterEnd(char sign, int end, boolean trims) {
    int next = end;
    if (sign == '-') {
      while (next < source.length() && Chars.isSpace(source.charAt(next))) {
        next++;
      }
    } else if (sign != '+' && trims && next < source.length() && source.charAt(next) == '\n') {
      next++;
    }
    return next;
  }

  private void move(int to) {
    at = to;
    lineStarting = to > 0 && source.charAt(to - 1) == '\n';
  }

  private void expression(boolean variable) {
    String close = variable ? "}}" : "%}";
    Deque<Character> open = new ArrayDeque<>();
    while (at < source.length()) {
      char c = source.charAt(at);
      boolean signed = (c == '-' || c == '+' && !variable) && source.startsWith(close, at + 1);
      if (open.isEmpty() && (signed || source.startsWith(close, at))) {
        add(variable ? Kind.VARIABLE_END : Kind.BLOCK_END, "", at);
        move(afterEnd(signed ? c : ' ', at + (signed ? 3 : 2), !variable));
        return;
      } else if (Chars.isSpace(c)) {
        at++;
      } else if (c == '\'' || c == '"') {
        string(c);
      } else if (!(c >= '0' && c <= '9' && (match(FLOAT, Kind.FLOAT) || match(INTEGER, Kind.INTEGER))) && !name()) {
        operator(open);
      }
    }
    throw error("a tag without its end " + close);
  }

  private boolean match(Pattern pattern, Kind kind) {
    Matcher matcher = pattern.matcher(source).region(at, source.length()).useTransparentBounds(true);
    if (!matcher.lookingAt()) {
      return false;
    }
    add(kind, matcher.group().replace("_", ""), at);
    at = matcher.end();
    return true;
  }

  private boolean name() {
    int end = at;
    while (end < source.length() && isWord(source.codePointAt(end))) {
      end += Character.charCount(source.codePointAt(end));
    }
    String name = source.substring(at, end);
    if (name.isEmpty()) {
      return false;
    } else if (!Chars.isIdentifier(name)) {
      throw error("invalid character in the name '" + name + "'");
    }
    add(Kind.NAME, name, at);
    at = end;
    return true;
  }

  private static boolean isWord(int c) {
    return c == '_' || Character.isLetterOrDigit(c) || Chars.isNumeric(c) || Character.getType(c) == Character.NON_SPACING_MARK
        || Character.getType(c) == Character.COMBINING_SPACING_MARK;
  }

  private void string(char quote) {
    int end = at + 1;
    while (end < source.length() && source.charAt(end) != quote) {
      end += source.charAt(end) == '\\' ? 2 : 1;
    }
    if (end >= source.length()) {
      throw error("a text in quotes without its end");
    }
    try {
      add(Kind.STRING, Escapes.resolve(source.substring(at + 1, end)), at);
    } catch (TemplateException e) {
      throw error(e.getMessage());
    }
    at = end + 1;
  }

  private void operator(Deque<Character> open) {
    String operator = OPERATORS.stream().filter(o -> source.startsWith(o, at)).findFirst()
        .orElseThrow(() -> error("unexpected character '" + Character.toString(source.codePointAt(at)) + "'"));
    char c = operator.charAt(0);
    if ("([{".indexOf(c) >= 0) {
      open.push(")]}".charAt("([{".indexOf(c)));
    } else if (")]}".indexOf(c) >= 0 && (open.isEmpty() || open.pop() != c)) {
      throw error("unexpected '" + c + "'");
    }
    add(Kind.OPERATOR, operator, at);
    at += operator.length();
  }

  private TemplateException error(String problem) {
    add(Kind.END, "", at);
    return tokens.get(tokens.size() - 1).error(problem);
  }

  private void add(Kind kind, String text, int position) {
    for (; counted < position; counted++) {
      if (source.charAt(counted) == '\n') {
        line++;
        lineStart = counted + 1;
      }
    }
    tokens.add(new Token(kind, text, line, position - lineStart + 1));
  }
}
