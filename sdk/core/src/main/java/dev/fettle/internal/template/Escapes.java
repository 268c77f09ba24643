package dev.fettle.internal.template;

/** Python's escapes in texts in quotes. */
final class Escapes {
  private Escapes() {}

  static String resolve(String text) {
    int slash = text.indexOf('\\');
    if (slash < 0) {
      return text;
    }
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < text.length(); ) {
      char c = text.charAt(i);
      if (c != '\\') {
        out.append(c);
        i++;
        continue;
      }
      char kind = text.charAt(i + 1);
      int digits = kind == 'x' ? 2 : kind == 'u' ? 4 : kind == 'U' ? 8 : 0;
      if (digits > 0) {
        out.appendCodePoint(number(text, i + 2, digits));
        i += 2 + digits;
      } else if (kind >= '0' && kind <= '7') {
        int end = i + 2;
        while (end < text.length() && end < i + 4 && text.charAt(end) >= '0' && text.charAt(end) <= '7') {
          end++;
        }
        out.append((char) Integer.parseInt(text.substring(i + 1, end), 8));
        i = end;
      } else if (kind == 'N') {
        int end = text.indexOf('}', i);
        if (end < 0 || text.charAt(i + 2) != '{') {
          throw new TemplateException("malformed \\N character escape");
        }
        try {
          out.appendCodePoint(Character.codePointOf(text.substring(i + 3, end)));
        } catch (IllegalArgumentException e) {
          throw new TemplateException("unknown Unicode character name");
        }
        i = end + 1;
      } else {
        int known = "\n\\'\"abfnrtv".indexOf(kind);
        out.append(known < 0 ? "\\" + kind : known == 0 ? "" : "\\'\"\u0007\b\f\n\r\t\u000b".substring(known - 1, known));
        i += 2;
      }
    }
    return out.toString();
  }

  private static int number(String text, int from, int digits) {
    if (from + digits > text.length() || !text.substring(from, from + digits).matches("[0-9a-fA-F]+")) {
      throw new TemplateException("an escape that needs " + digits + " hexadecimal digits");
    }
    long value = Long.parseLong(text.substring(from, from + digits), 16);
    if (value > Character.MAX_CODE_POINT) {
      throw new TemplateException("an escape beyond Unicode");
    }
    return (int) value;
  }
}
