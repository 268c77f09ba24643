package dev.fettle.internal.text;

import dev.fettle.Tokenizer;
import java.util.List;

/** The text of a sample as its tokens come, up to a stop text. Not thread-safe; one a sample. */
public final class SampledText {
  private final StreamDecoder decoder;
  private final List<String> stops;
  private final StringBuilder text = new StringBuilder();
  private boolean stopped;
  private int given;

  /** A text that goes on after a prompt. */
  public SampledText(Tokenizer tokenizer, int[] prompt, List<String> stops) {
    this(tokenizer, false, prompt, stops);
  }

  /**
   * The same.
   *
   * @param specials whether special tokens are written out
   */
  public SampledText(Tokenizer tokenizer, boolean specials, int[] prompt, List<String> stops) {
    this.decoder = new StreamDecoder(tokenizer, specials, prompt);
    this.stops = stops;
  }

  /**
   * Takes a token.
   *
   * @param end whether the token itself ends the sample, and so has no text
   * @param last whether no more comes
   * @return the text that is certain now: what may become a stop text is held back
   */
  public String take(int id, boolean end, boolean last) {
    int before = text.length();
    if (!end) {
      text.append(decoder.append(id));
    }
    if (end || last) {
      text.append(decoder.rest());
    }
    int cut = stopText(text.length() - before);
    if (cut >= 0) {
      text.setLength(cut);
    }
    stopped = end || cut >= 0;
    int safe = stopped || last ? text.length() : text.length() - heldBack();
    String piece = text.substring(Math.min(given, safe), safe);
    given = Math.max(given, safe);
    return piece;
  }

  /** Whether an end token or a stop text came. */
  public boolean stopped() {
    return stopped;
  }

  /** The whole text, without what ended it. */
  public String text() {
    return text.toString();
  }

  /** Where a stop text begins that the last characters completed; -1 if none did. */
  private int stopText(int added) {
    int first = Integer.MAX_VALUE;
    for (String stop : stops) {
      int at = text.indexOf(stop, Math.max(0, text.length() - added - stop.length() + 1));
      if (at >= 0) {
        first = Math.min(first, at);
      }
    }
    return first == Integer.MAX_VALUE ? -1 : first;
  }

  /** How many of the last characters may be the beginning of a stop text, and so must not be streamed yet. */
  private int heldBack() {
    int most = 0;
    for (String stop : stops) {
      for (int n = Math.min(stop.length() - 1, text.length()); n > most; n--) {
        if (stop.startsWith(text.substring(text.length() - n))) {
          most = n;
        }
      }
    }
    return most;
  }
}
