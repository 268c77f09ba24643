package dev.fettle.internal.text;

import dev.fettle.Message;
import dev.fettle.Renderer;
import dev.fettle.SamplingParams;
import dev.fettle.Tokenizer;
import dev.fettle.ToolCall;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * An assistant's answer as its text comes: reasoning, content and tool calls are told apart as soon as that is certain. The
 * parts together are what {@link Renderer#parse} makes of the whole. Not thread-safe; one an answer.
 */
public final class AnswerStream {
  private static final String THINK = "<think>";
  private static final String THOUGHT = "</think>";
  /** What a tool call begins with, in formats in which it need not be the whole answer. */
  private static final List<String> CALLS = List.of("<tool_call>", "[TOOL_CALLS]");
  /** Without one of these a text neither begins nor ends anything. */
  private static final String MARKING = "<>[]";
  private static final int TAIL = 8;

  private final ChatFormat format;
  private final List<String> marks;
  private final boolean bare;
  private final StringBuilder text = new StringBuilder();
  private final StringBuilder reasoning = new StringBuilder();
  private final StringBuilder content = new StringBuilder();
  private int calls;
  private Open open = Open.UNKNOWN;
  private int read;

  /** What a text is in the middle of, so that not all of it is read again for each token. */
  private enum Open {
    UNKNOWN,
    THOUGHT,
    CONTENT,
    CALL
  }

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
    this(renderer, prompt, true);
  }

  /** The same; where tools cannot be called, what looks like a call is content. */
  public AnswerStream(Renderer renderer, int[] prompt, boolean calling) {
    this.format = ((ChatRenderer) renderer).format();
    this.marks = calling ? CALLS : List.of();
    this.bare = calling && !format.parse("{\"name\": \"f\", \"parameters\": {}}").toolCalls().isEmpty();
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

  /**
   * The message in the tokens that were sampled after a prompt.
   *
   * @param params with what ends an answer
   */
  public static Message read(Renderer renderer, int[] prompt, int[] sampled, SamplingParams params) {
    Tokenizer tokenizer = renderer.tokenizer();
    int[] ids = Arrays.stream(sampled).takeWhile(id -> !params.stopTokens().contains(id)).filter(id -> id < tokenizer.vocabSize())
        .toArray();
    String text = readsSpecials(renderer) ? tokenizer.decodeAll(ids) : tokenizer.decode(ids);
    int end = params.stop().stream().mapToInt(text::indexOf).filter(at -> at >= 0).min().orElse(text.length());
    AnswerStream answer = new AnswerStream(renderer, prompt);
    answer.text.append(text, 0, end);
    return answer.message();
  }

  /** Takes more of the text. */
  public List<Part> take(String piece) {
    text.append(piece);
    if (piece.isEmpty() || bare && beginsWithBrace()) {
      return List.of();
    } else if (open != Open.UNKNOWN && piece.chars().noneMatch(c -> MARKING.indexOf(c) >= 0)) {
      return open == Open.CALL ? List.of() : more();
    }
    Message seen = message();
    boolean thinking = text.indexOf(THOUGHT) < 0;
    List<Part> parts = parts(thinking ? certain(seen.reasoning(), List.of()) : seen.reasoning(), certain(seen.content(), marks),
        seen.toolCalls());
    open = open(seen, thinking && !reasoning.isEmpty());
    return parts;
  }

  private boolean beginsWithBrace() {
    int at = 0;
    while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
      at++;
    }
    return at < text.length() && text.charAt(at) == '{';
  }

  /** What text without a mark goes on with: known where all but line breaks of the open part has been given. */
  private Open open(Message seen, boolean thinking) {
    String whole = thinking ? seen.reasoning() : seen.content();
    if (!thinking && marks.stream().anyMatch(whole::contains)) {
      return Open.CALL;
    }
    StringBuilder part = thinking ? reasoning : content;
    read = text.length() - lineBreaks(text);
    boolean given = !part.isEmpty() && part.length() == whole.length() - lineBreaks(whole)
        && text.substring(0, read).endsWith(part.toString());
    return !given ? Open.UNKNOWN : thinking ? Open.THOUGHT : Open.CONTENT;
  }

  /** How many end a text. */
  private static int lineBreaks(CharSequence text) {
    int count = 0;
    while (count < text.length() && text.charAt(text.length() - 1 - count) == '\n') {
      count++;
    }
    return count;
  }

  /** More of the open part, but for line breaks at its end. */
  private List<Part> more() {
    int end = text.length() - lineBreaks(text);
    if (end <= read) {
      return List.of();
    }
    String more = text.substring(read, end);
    read = end;
    (open == Open.THOUGHT ? reasoning : content).append(more);
    return List.of(open == Open.THOUGHT ? new Thought(more) : new Content(more));
  }

  /** Ends the text. */
  public List<Part> end() {
    Message whole = message();
    return parts(whole.reasoning(), whole.content(), whole.toolCalls());
  }

  /** The answer as far as it has come. */
  public Message message() {
    return marks.isEmpty() ? Reasoning.parse(text.toString()) : format.parse(text.toString());
  }

  private List<Part> parts(String thought, String said, List<ToolCall> called) {
    List<Part> parts = new ArrayList<>();
    more(reasoning, thought).map(Thought::new).ifPresent(parts::add);
    more(content, said).map(Content::new).ifPresent(parts::add);
    for (; calls < called.size(); calls++) {
      parts.add(new Call(calls, called.get(calls)));
    }
    return parts;
  }

  /** What a part has got that was not given yet. */
  private static Optional<String> more(StringBuilder given, String now) {
    if (now.length() <= given.length() || !now.startsWith(given.toString())) {
      return Optional.empty();
    }
    String more = now.substring(given.length());
    given.append(more);
    return Optional.of(more);
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
