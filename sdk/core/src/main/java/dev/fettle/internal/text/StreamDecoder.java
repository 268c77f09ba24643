package dev.fettle.internal.text;

import dev.fettle.Tokenizer;
import java.util.Arrays;
import java.util.Objects;

/**
 * Text of tokens as they arrive. What it has given, with {@link #rest()} at the end, is the decoding of prompt and new
 * tokens together, less that of the prompt: a first piece {@code " Hello"} keeps its space, and a character that
 * takes several tokens appears when it is whole. Special tokens and ids beyond the vocabulary give no text. Not
 * thread-safe; one a sequence.
 */
public final class StreamDecoder {
  /** Tokens of the prompt that are kept for context; one is enough for every decoder known. */
  private static final int CONTEXT = 8;
  private static final char INCOMPLETE = '\uFFFD';

  private final Tokenizer tokenizer;
  private final boolean all;
  private int[] window;
  private int length;
  private int given;

  /** A decoder that goes on after a prompt, which may be empty. */
  public StreamDecoder(Tokenizer tokenizer, int... prompt) {
    this(tokenizer, false, prompt);
  }

  StreamDecoder(Tokenizer tokenizer, boolean all, int... prompt) {
    this.tokenizer = Objects.requireNonNull(tokenizer, "tokenizer");
    this.all = all;
    int[] visible = Arrays.stream(prompt).filter(this::visible).toArray();
    window = Arrays.copyOfRange(visible, Math.max(0, visible.length - CONTEXT), visible.length);
    length = window.length;
    given = length;
  }

  /** The text that this token completes; often empty. */
  public String append(int id) {
    if (!visible(id)) {
      return "";
    }
    if (length == window.length) {
      window = Arrays.copyOf(window, length * 2 + 16);
    }
    window[length++] = id;
    return byteToken(id) ? "" : flush(false);
  }

  /** The text that is still held back, such as the half of a character. */
  public String rest() {
    return flush(true);
  }

  private String flush(boolean force) {
    String before = text(given);
    String now = text(length);
    if (now.length() <= before.length() || !force && now.charAt(now.length() - 1) == INCOMPLETE) {
      return "";
    }
    window = Arrays.copyOfRange(window, given, length);
    given = window.length;
    length = given;
    return now.substring(before.length());
  }

  private String text(int count) {
    int[] ids = Arrays.copyOf(window, count);
    return all ? tokenizer.decodeAll(ids) : tokenizer.decode(ids);
  }

  /** A SentencePiece byte: a run of them is decoded as a whole, so it is held back until the run ends. */
  private boolean byteToken(int id) {
    String token = tokenizer.token(id);
    return token.length() == 6 && token.startsWith("<0x") && token.endsWith(">");
  }

  private boolean visible(int id) {
    return id >= 0 && id < tokenizer.vocabSize() && (all || !tokenizer.special(id));
  }
}
