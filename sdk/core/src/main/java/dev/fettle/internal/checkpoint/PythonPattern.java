package dev.fettle.internal.checkpoint;

import dev.fettle.InvalidInputException;
import dev.fettle.UnsupportedModelException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * Regular expressions as Python's {@code re} writes them, for Java's: group names, comments, classes and escapes that mean
 * something else there. What only one of the two knows is rejected.
 */
final class PythonPattern {
  private static final Set<Character> SAME_ESCAPES = Set.of('A', 'b', 'B', 'd', 'D', 's', 'S', 'w', 'W', 'a', 'f', 'n', 'r', 't',
      'x', 'u');
  private static final Pattern REPEAT = Pattern.compile("\\{(\\d*)(,?)(\\d*)\\}");
  private static final Pattern FLAGS = Pattern.compile("([aiLmsux]*)(-[imsx]+)?([:)])");

  private final String source;
  private final StringBuilder out = new StringBuilder();
  private final List<String> names = new ArrayList<>();
  private int at;
  private boolean ascii;

  private PythonPattern(String source) {
    this.source = source;
  }

  /**
   * The same in Java.
   *
   * @throws InvalidInputException if Python would not compile it
   * @throws UnsupportedModelException if Java cannot express it
   */
  static Pattern compile(String regex) {
    PythonPattern python = new PythonPattern(regex);
    python.translate();
    try {
      // Python's classes and cases are those of Unicode.
      return Pattern.compile(python.out.toString(), Pattern.UNIX_LINES
          | (python.ascii ? 0 : Pattern.UNICODE_CHARACTER_CLASS | Pattern.UNICODE_CASE));
    } catch (PatternSyntaxException e) {
      throw python.invalid(e.getDescription());
    }
  }

  /** The name that Java has for a group: Java's may hold letters and digits only. */
  static String group(String name) {
    StringBuilder java = new StringBuilder("g");
    name.chars().forEach(c -> java.append('x').append(Integer.toHexString(c)));
    return java.toString();
  }

  private void translate() {
    while (at < source.length()) {
      char c = source.charAt(at);
      if (c == '\\') {
        escape(false);
      } else if (c == '[') {
        characterClass();
      } else if (c == '(' && source.startsWith("(?", at)) {
        extension();
      } else if (c == '{') {
        brace();
      } else {
        out.append(c == '$' ? "(?=\\n?\\z)" : Character.toString(c));
        at++;
      }
    }
  }

  /** A repetition, or a brace like any other letter. */
  private void brace() {
    Matcher repeat = REPEAT.matcher(source).region(at, source.length());
    if (!repeat.lookingAt() || repeat.group().equals("{}")) {
      out.append("\\{");
      at++;
      return;
    }
    String least = repeat.group(1).isEmpty() ? "0" : repeat.group(1);
    out.append('{').append(least).append(repeat.group(2)).append(repeat.group(3)).append('}');
    at = repeat.end();
  }

  private void escape(boolean inClass) {
    if (at + 1 >= source.length()) {
      throw invalid("it ends with a backslash");
    }
    char c = source.charAt(at + 1);
    at += 2;
    if (c >= '0' && c <= '9') {
      number(c, inClass);
    } else if (c == 'Z' && !inClass) {
      out.append("\\z");
    } else if (c == 'v') {
      out.append("\\x0B");
    } else if (c == 'b' && inClass) {
      out.append("\\x08");
    } else if (c == 'U' && at + 8 <= source.length()) {
      out.append("\\x{").append(source, at, at + 8).append('}');
      at += 8;
    } else if (c == 'N' && source.startsWith("{", at)) {
      out.append("\\N");
    } else if (SAME_ESCAPES.contains(c) && !(inClass && "AB".indexOf(c) >= 0)) {
      out.append('\\').append(c);
    } else if (c < 128 && Character.isLetter(c)) {
      throw invalid("bad escape \\" + c);
    } else {
      out.append(c < 128 ? "\\" : "").append(c);
    }
  }

  /** An octal number, or what a group matched: Python takes two digits for the number of a group. */
  private void number(char first, boolean inClass) {
    int from = at - 1;
    int most = first == '0' || octal(from, 3) || inClass ? 3 : 2;
    while (at < source.length() && at - from < most && Character.digit(source.charAt(at), 10) >= 0
        && (most == 2 || Character.digit(source.charAt(at), 8) >= 0)) {
      at++;
    }
    String digits = source.substring(from, at);
    if (most == 3 && Character.digit(first, 8) < 0) {
      throw invalid("bad escape \\" + first);
    }
    if (most == 2) {
      out.append("(?:\\").append(digits).append(')');
    } else {
      out.append("\\x{").append(Integer.toHexString(Integer.parseInt(digits, 8))).append('}');
    }
  }

  private boolean octal(int from, int count) {
    return from + count <= source.length()
        && source.substring(from, from + count).chars().allMatch(c -> c >= '0' && c <= '7');
  }

  /** Python's classes know neither unions nor intersections: such letters stand for themselves. */
  private void characterClass() {
    int begin = at;
    out.append('[');
    at++;
    if (at < source.length() && source.charAt(at) == '^') {
      out.append('^');
      at++;
    }
    for (boolean first = true; at < source.length(); first = false) {
      char c = source.charAt(at);
      if (c == ']' && !first) {
        out.append(']');
        at++;
        return;
      }
      if (c == '\\') {
        escape(true);
      } else {
        out.append("[]&^ #~|".indexOf(c) >= 0 ? "\\" : "").append(c);
        at++;
      }
    }
    throw invalid("the class at " + begin + " has no end");
  }

  /** What begins with {@code (?}. */
  private void extension() {
    if (source.startsWith("(?P<", at)) {
      String name = name(at + 4, '>');
      if (names.contains(name)) {
        throw invalid("two groups have the name " + name);
      }
      names.add(name);
      out.append("(?<").append(group(name)).append('>');
    } else if (source.startsWith("(?P=", at)) {
      String name = name(at + 4, ')');
      if (!names.contains(name)) {
        throw invalid("no group has the name " + name);
      }
      out.append("\\k<").append(group(name)).append('>');
    } else if (source.startsWith("(?#", at)) {
      int end = source.indexOf(')', at);
      if (end < 0) {
        throw invalid("a comment has no end");
      }
      at = end + 1;
    } else if (source.startsWith("(?(", at)) {
      throw new UnsupportedModelException("the pattern " + Quote.line(source) + " depends on whether a group matched, (?(...), "
          + "which Java's patterns cannot");
    } else if (source.startsWith("(?:", at) || source.startsWith("(?=", at) || source.startsWith("(?!", at)
        || source.startsWith("(?>", at)) {
      copy(3);
    } else if (source.startsWith("(?<=", at) || source.startsWith("(?<!", at)) {
      copy(4);
    } else {
      flags();
    }
  }

  private void flags() {
    Matcher flags = FLAGS.matcher(source).region(at + 2, source.length());
    if (!flags.lookingAt() || flags.group(1).indexOf('L') >= 0) {
      throw invalid("unknown extension " + source.substring(at, Math.min(source.length(), at + 4)));
    }
    boolean all = flags.group(3).equals(")");
    if (all && (at > 0 || flags.group(2) != null || flags.group(1).isEmpty())) {
      throw invalid("flags for all of it must stand at its start");
    }
    if (flags.group(1).indexOf('a') >= 0) {
      if (!all) {
        throw new UnsupportedModelException("the pattern " + Quote.line(source) + " takes a part as ASCII, (?a:, which Java's "
            + "patterns cannot");
      }
      ascii = true;
    }
    String on = flags.group(1).replaceAll("[au]", "");
    String off = flags.group(2) == null ? "" : flags.group(2);
    if (!all || !on.isEmpty()) {
      out.append("(?").append(on).append(off).append(flags.group(3));
    }
    at = flags.end();
  }

  private String name(int from, char close) {
    int end = source.indexOf(close, from);
    String name = end < 0 ? "" : source.substring(from, end);
    if (name.isEmpty() || !Character.isJavaIdentifierStart(name.charAt(0)) || name.contains("$")
        || !name.chars().allMatch(Character::isJavaIdentifierPart)) {
      throw invalid("the name of a group is missing or none");
    }
    at = end + 1;
    return name;
  }

  private void copy(int length) {
    out.append(source, at, at + length);
    at += length;
  }

  private InvalidInputException invalid(String why) {
    return new InvalidInputException("the pattern " + Quote.line(source) + " is no regular expression of Python: "
        + Quote.line(why));
  }
}
