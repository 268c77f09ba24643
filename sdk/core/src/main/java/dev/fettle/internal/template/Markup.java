package dev.fettle.internal.template;

/** What Jinja counts as HTML: only a template that asks for it sees it. */
final class Markup {
  private Markup() {}

  static Text escape(Object value) {
    Text text = Values.soft(value);
    return text.safe() ? text : always(text);
  }

  static Text always(Text text) {
    TextBuilder out = new TextBuilder();
    String chars = text.chars();
    int plain = 0;
    for (int i = 0; i < chars.length(); i++) {
      String entity = switch (chars.charAt(i)) {
        case '&' -> "&amp;";
        case '<' -> "&lt;";
        case '>' -> "&gt;";
        case '\'' -> "&#39;";
        case '"' -> "&#34;";
        default -> null;
      };
      if (entity != null) {
        out.append(text, plain, i).append(entity, text.originAt(i));
        plain = i + 1;
      }
    }
    return out.append(text, plain, chars.length()).text(true);
  }
}
