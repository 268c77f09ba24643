package dev.fettle.internal.text;

import dev.fettle.internal.template.Origin.Field;

/** How sequences are shown: the kind of a part is who wrote it, and each may be trained. */
enum Look {
  /** Trained parts in brackets, for a text without colours. */
  BRACKETS,
  /** Colours of a terminal: one for each kind, as that of the letters, or behind them where they are trained. */
  ANSI,
  /** The same in HTML. */
  HTML;

  private static final String[] NAMES = {"template", "message", "computed"};
  private static final int[] TERMINAL = {6, 2, 5};
  private static final String[] LETTERS = {"#0a6c7a", "#1f6f2f", "#8a2f86"};
  private static final String[] BEHIND = {"#bfe8ee", "#c6ecc9", "#eec9ec"};

  /** What a field of a message or template is here: its place in the lists above. */
  static int kind(Field field) {
    return switch (field) {
      case TEMPLATE, ROLE -> 0;
      case COMPUTED -> 2;
      default -> 1;
    };
  }

  /** A part of one kind. */
  String part(String text, int kind, boolean trained) {
    String lines = text.replace("\n", this == HTML ? "\u21b5\n" : "\\n\n");
    return switch (this) {
      case BRACKETS -> lines;
      case ANSI -> "\u001b[" + (trained ? "30;4" + TERMINAL[kind] : "3" + TERMINAL[kind]) + "m" + lines + "\u001b[0m";
      case HTML -> "<span style=\"color:" + (trained ? "#000;background:" + BEHIND[kind] : LETTERS[kind]) + "\" title=\"" + NAMES[kind]
          + (trained ? ", trained" : "") + "\">" + lines.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") + "</span>";
    };
  }

  /** Sequences with a legend, where there are colours to explain. */
  String framed(String sequences) {
    if (this == BRACKETS) {
      return sequences;
    }
    StringBuilder legend = new StringBuilder();
    for (int kind = 0; kind < NAMES.length; kind++) {
      legend.append(part(NAMES[kind], kind, false)).append(' ').append(part(NAMES[kind] + ", trained", kind, true)).append(' ');
    }
    return this == ANSI ? sequences + "\n" + legend.toString().strip() : "<pre style=\"white-space:pre-wrap;line-height:1.5\">" + sequences
        + "</pre><div style=\"font-size:85%\">" + legend.toString().strip() + "</div>";
  }
}
