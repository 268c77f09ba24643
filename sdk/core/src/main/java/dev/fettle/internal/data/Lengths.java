package dev.fettle.internal.data;

import dev.fettle.InvalidInputException;
import dev.fettle.Rendered;
import dev.fettle.TooLong;
import dev.fettle.internal.Status;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;

/** Holds sequences, or prompts, to a limit and counts what became of them. Not thread-safe. */
public final class Lengths {
  private final Limit limit;
  private final String unit;
  private final boolean prompts;
  private long used;
  private long cut;
  private long skipped;
  private long emptied;
  private long untrained;
  private String longest;
  private int most;

  /**
   * Begins to count.
   *
   * @param unit what is counted, such as {@code sequences}
   */
  public Lengths(Limit limit, String unit) {
    this(limit, unit, false);
  }

  private Lengths(Limit limit, String unit, boolean prompts) {
    this.limit = limit;
    this.unit = unit;
    this.prompts = prompts;
  }

  /** Begins to count prompts, which cannot be cut, since their end is what asks for an answer. */
  public static Lengths ofPrompts(Limit limit) {
    return new Lengths(limit.tooLong() == TooLong.CUT ? limit.treating(TooLong.SKIP) : limit, "prompts", true);
  }

  /** Whether there is room for an answer, be it of one token, after a prompt of so many; if not, it is skipped. */
  public boolean hasRoom(String origin, int tokens) {
    boolean over = tokens >= limit.tokens();
    note(over, origin, tokens);
    used += over ? 0 : 1;
    skipped += over ? 1 : 0;
    return !over;
  }

  /**
   * What is left of sequences that stay or go together; nothing if they are skipped.
   *
   * @param origin where they are from, for people
   */
  public List<Rendered> hold(String origin, List<Rendered> together) {
    boolean over = together.stream().anyMatch(limit::exceededBy);
    List<Rendered> kept = together.stream().map(limit::cut).toList();
    int length = together.stream().mapToInt(Rendered::length).max().orElse(0);
    note(over, origin, length);
    boolean whole = !over || limit.tooLong() == TooLong.CUT;
    if (whole && kept.stream().allMatch(Lengths::trains)) {
      used++;
      cut += over ? 1 : 0;
      return kept;
    }
    skipped += whole ? 0 : 1;
    emptied += whole && over ? 1 : 0;
    untrained += over ? 0 : 1;
    return List.of();
  }

  private void note(boolean over, String origin, int length) {
    if (over && length > most) {
      most = length;
      longest = origin;
    }
  }

  /** Whether something is learnt from it; the first token has nothing before it to be predicted from. */
  private static boolean trains(Rendered rendered) {
    float[] weights = rendered.weights();
    for (int i = 1; i < weights.length; i++) {
      if (weights[i] != 0) {
        return true;
      }
    }
    return false;
  }

  /** The most tokens, if there is a limit. */
  public OptionalInt most() {
    return limit.tokens() == Integer.MAX_VALUE ? OptionalInt.empty() : OptionalInt.of(limit.tokens());
  }

  /** How many were cut. */
  public long cut() {
    return cut;
  }

  /** How many were skipped. */
  public long skipped() {
    return skipped + emptied + untrained;
  }

  /** Whether one was too long. */
  boolean exceeded() {
    return most > 0;
  }

  /**
   * Ends a pass that was made before the first step: says what became of long sequences, if there are any.
   *
   * @param what whose they are, such as {@code sft}
   * @throws InvalidInputException if there are some and they are to be refused
   */
  public void decide(String what) {
    if (exceeded() && limit.tooLong() == TooLong.REFUSE) {
      throw new InvalidInputException(what + ": " + over() + ". Shorten them, or have them " + (prompts
          ? "skipped: tooLong(TooLong.SKIP) (--too-long skip)"
          : "cut or skipped: tooLong(TooLong.CUT) or SKIP (--too-long cut or skip)"));
    }
    say(what);
  }

  /** Says what became of them, if anything did. */
  void say(String what) {
    if (exceeded() || untrained > 0) {
      Status.say(what + ": " + words());
    }
  }

  /** Says, in the midst of a pass, that there is a first one. */
  void sayFirst() {
    Status.say(longest + " has " + most + " tokens, longer than " + limit.words() + ": it is "
        + (limit.tooLong() == TooLong.CUT ? "cut" : "skipped") + ", and so are others; how many is said at the end. "
        + change());
  }

  private String words() {
    String nothing = untrained + " skipped, as nothing in them is trained";
    if (!exceeded()) {
      return "of " + all() + " " + unit + " " + nothing;
    }
    List<String> parts = new ArrayList<>();
    if (cut > 0) {
      parts.add(cut + " cut");
    }
    if (skipped > 0) {
      parts.add(skipped + " skipped");
    }
    if (emptied > 0) {
      parts.add(emptied + " skipped, as the cut left nothing that is trained");
    }
    return over() + ": " + String.join(", ", parts) + (untrained > 0 ? "; of the others " + nothing : "") + ". " + change();
  }

  private String over() {
    return (cut + skipped + emptied) + " of " + all() + " " + unit + (prompts ? " leave no room for an answer within "
        : " are longer than ") + limit.words() + " (the longest: " + longest + ", " + most + " tokens)";
  }

  private String change() {
    return prompts ? "tooLong (--too-long) changes this" : "maxLength and tooLong (--length and --too-long) change this";
  }

  private long all() {
    return used + skipped();
  }

  /** What became of all, for an error message. */
  public String summary() {
    return (skipped + emptied) + " " + unit + " skipped as longer than " + limit.words() + ", " + untrained
        + " skipped as without a trained token";
  }

  /** The same for a run's files. */
  public Map<String, Object> json() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("max_length", limit.tokens() == Integer.MAX_VALUE ? null : limit.tokens());
    json.put("too_long", limit.tooLong().name().toLowerCase(Locale.ROOT));
    json.put(unit, used);
    json.put("cut", cut);
    json.put("skipped", skipped());
    return json;
  }
}
