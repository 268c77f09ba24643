package dev.fettle.langchain4j;

import dev.fettle.Message;
import dev.fettle.Renderer;
import dev.fettle.Token;
import java.util.List;

/**
 * Tells what is thought, what is said and what may be a tool call in an answer of which only the beginning is there. What
 * is given stays true when the whole is read. Not thread-safe; one an answer.
 */
final class AnswerParts {
  static final String THINK = "<think>";
  static final String THOUGHT = "</think>";
  /** What begins a call in the formats that Fettle reads, but for one that is a JSON object without a mark. */
  private static final List<String> CALLS = List.of("<tool_call>", "[TOOL_CALLS]");

  /** What is new of both. */
  record Piece(String thinking, String text) {
    private static final Piece NONE = new Piece("", "");
  }

  private final Renderer renderer;
  private final boolean thinks;
  private final StringBuilder all = new StringBuilder();
  private String thinking = "";
  private String text = "";

  /** @param thinks whether the prompt opened the block of thinking */
  AnswerParts(Renderer renderer, boolean thinks) {
    this.renderer = renderer;
    this.thinks = thinks;
  }

  /** Takes a token. */
  void add(Token token) {
    boolean mark = renderer.tokenizer().special(token.id()) && !renderer.stopTokens().contains(token.id());
    all.append(mark ? renderer.tokenizer().decodeAll(token.id()) : token.text());
  }

  /** What is new and certain. */
  Piece next() {
    String begun = all.toString().stripLeading();
    if (!thinks && begun.length() < THINK.length() && THINK.startsWith(begun)) {
      return Piece.NONE;
    }
    String thought = "";
    String said = all.toString();
    if (thinks || begun.startsWith(THINK)) {
      String block = thinks ? said : begun.substring(THINK.length());
      int close = block.indexOf(THOUGHT);
      thought = withoutBreaks(close < 0 ? certain(block, List.of(THOUGHT)) : block.substring(0, close)).stripTrailing();
      said = close < 0 ? "" : withoutBreaks(block.substring(close + THOUGHT.length()));
    }
    return give(thought, said.stripLeading().startsWith("{") ? "" : certain(said, CALLS).stripTrailing());
  }

  /** The whole message; the text as it came where it contradicts what was given, which cannot be taken back. */
  Message agreed(Message whole) {
    return whole.content().startsWith(text) && whole.reasoning().startsWith(thinking) ? whole : Message.assistant(all.toString());
  }

  /** What of the whole was not given yet. */
  Piece rest(Message whole) {
    return give(whole.reasoning(), whole.content());
  }

  private Piece give(String thoughtNow, String saidNow) {
    Piece piece = new Piece(after(thinking, thoughtNow), after(text, saidNow));
    thinking += piece.thinking();
    text += piece.text();
    return piece;
  }

  private static String withoutBreaks(String text) {
    return text.replaceFirst("^\n+", "");
  }

  private static String after(String given, String now) {
    return now.startsWith(given) ? now.substring(given.length()) : "";
  }

  /** What stands before the first of some marks, or before what may become one. */
  private static String certain(String said, List<String> marks) {
    int end = said.length();
    for (String mark : marks) {
      int at = said.indexOf(mark);
      for (int i = Math.max(0, said.length() - mark.length() + 1); at < 0 && i < said.length(); i++) {
        at = mark.startsWith(said.substring(i)) ? i : -1;
      }
      end = at < 0 ? end : Math.min(end, at);
    }
    return said.substring(0, end);
  }
}
