package dev.fettle.internal.text;

import dev.fettle.Message;
import dev.fettle.Renderer;
import dev.fettle.Tokenizer;
import dev.fettle.ToolCall;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * An assistant's answer as its text comes: reasoning, content and tool calls are told apart as soon as that is certain. The
 * parts together are what {@link Renderer#parse} makes of the whole. Not thread-safe; one an answer.
 */
public final class AnswerStream {
  private static final String THINK = "<think>";
  private static final String THOUGHT = "</think>";
  /** What a tool call begins with, in formats in which it need not be the whole answer. */
  private static final List<String> CALLS = List.of("<tool_call>", "[TOOL_CALLS]");
  private static final int TAIL = 8;

  private final ChatFormat format;
  private final boolean bare;
  private final StringBuilder text = new StringBuilder();
  private String reasoning = "";
  private String content = "";
  private int calls;

  /** A part of an answer that will not change. */
  public sealed interface Part {}

  /** More of the reasoning. */
  public record Thought(String text) implements Part {}

  /** More of the content. */
  public record Content(String text) implements Part {}

  /** A whole call. */
  public record Call(int index, ToolCall call) implements Part {}

  /** The answer to a prompt, which may have begun its reasoning. */
  public AnswerStream(Renderer renderer, int[] prompt) {
    this.format = ((ChatRenderer) renderer).format();
    this.bare = !format.parse("{\"name\": \"f\", \"parameters\": {}}").toolCalls().isEmpty();
    Tokenizer tokenizer = renderer.tokenizer();
    int[] tail = Arrays.stream(prompt, Math.max(0, prompt.length - TAIL), prompt.length)
        .filter(id -> id < tokenizer.vocabSize()).toArray();
    if (tokenizer.decodeAll(tail).stripTrailing().endsWith(THINK)) {
      text.append(THINK).append('\n');
    }
  }

  /** Whether the format reads special tokens, so that they have to be written out in the text. */
  public static boolean readsSpecials(Renderer renderer) {
    return ((ChatRenderer) renderer).format().parsesSpecials();
  }

  /** Takes more of the text. */
  public List<Part> take(String piece) {
    text.append(piece);
    if (piece.isEmpty() || bare && text.toString().stripLeading().startsWith("{")) {
      return List.of();
    }
    Message seen = message();
    boolean thinking = text.indexOf(THOUGHT) < 0;
    return parts(thinking ? certain(seen.reasoning(), List.of()) : seen.reasoning(), certain(seen.content(), CALLS), seen.toolCalls());
  }

  /** Ends the text. */
  public List<Part> end() {
    Message whole = message();
    return parts(whole.reasoning(), whole.content(), whole.toolCalls());
  }

  /** The answer as far as it has come. */
  public Message message() {
    return format.parse(text.toString());
  }

  private List<Part> parts(String thought, String said, List<ToolCall> called) {
    List<Part> parts = new ArrayList<>();
    if (thought.length() > reasoning.length() && thought.startsWith(reasoning)) {
      parts.add(new Thought(thought.substring(reasoning.length())));
      reasoning = thought;
    }
    if (said.length() > content.length() && said.startsWith(content)) {
      parts.add(new Content(said.substring(content.length())));
      content = said;
    }
    for (; calls < called.size(); calls++) {
      parts.add(new Call(calls, called.get(calls)));
    }
    return parts;
  }

  /** What of a text stays whatever comes: it may yet become a tag, or lose line breaks before one. */
  private static String certain(String given, List<String> marks) {
    String start = given.stripLeading();
    if (start.isEmpty() || start.length() < THINK.length() && THINK.startsWith(start)) {
      return "";
    }
    int end = given.length();
    for (String mark : marks) {
      int at = given.indexOf(mark);
      end = at < 0 ? end : Math.min(end, at);
    }
    List<String> all = new ArrayList<>(marks);
    all.add(THOUGHT);
    int kept = end;
    for (String mark : all) {
      for (int n = Math.min(mark.length() - 1, end); n > 0; n--) {
        if (mark.startsWith(given.substring(end - n, end))) {
          kept = Math.min(kept, end - n);
          break;
        }
      }
    }
    while (kept > 0 && given.charAt(kept - 1) == '\n') {
      kept--;
    }
    return given.substring(0, kept);
  }
}
