package dev.fettle.internal.text;

import dev.fettle.internal.template.Origin;
import dev.fettle.internal.template.Origin.Field;
import dev.fettle.internal.template.Text;
import java.util.ArrayList;
import java.util.List;

/** Which characters of a template's text are the output of a message: what its author wrote, and the end of its turn. */
final class Turns {
  private final TemplateFormat.Writing writing;
  private final Text text;
  private final String chars;
  private final List<SpecialTokens.Match> specials;

  Turns(TemplateFormat.Writing writing, Text text, List<SpecialTokens.Match> specials) {
    this.writing = writing;
    this.text = text;
    this.chars = text.chars();
    this.specials = specials;
  }

  /** Ranges of Java's characters; none where nothing of the message is written. */
  List<int[]> output(int message, boolean assistant) {
    List<int[]> marked = assistant ? marked(message) : List.of();
    if (!marked.isEmpty()) {
      return marked;
    }
    int[] turn = turn(message, false);
    if (turn == null) {
      return List.of();
    }
    int[] own = turn(message, true);
    SpecialTokens.Match outside = outside(turn, own);
    boolean next = outside != null && chars.substring(turn[1], outside.start()).isBlank();
    int end = next ? outside.end() : end(turn, own);
    int start = assistant ? answer(message, turn, own, end) : own != null ? own[0] : stop(turn[0], end);
    List<int[]> ranges = new ArrayList<>();
    if (start < end) {
      ranges.add(new int[] {start, end});
    }
    if (outside != null && !next && !assistant) {
      ranges.add(new int[] {outside.start(), outside.end()});
    }
    return ranges;
  }

  /** Whether a character stands in a {@code generation} block. */
  boolean isMarked(int at) {
    int run = 0;
    while (text.end(run) <= at) {
      run++;
    }
    return text.origin(run).generated();
  }

  /** What stands in {@code generation} blocks. */
  private List<int[]> marked(int message) {
    List<int[]> ranges = new ArrayList<>();
    for (int run = 0; run < text.runs(); run++) {
      Origin origin = text.origin(run);
      if (origin.generated() && origin.message() == message) {
        int last = ranges.size() - 1;
        if (last >= 0 && ranges.get(last)[1] == text.start(run)) {
          ranges.get(last)[1] = text.end(run);
        } else {
          ranges.add(new int[] {text.start(run), text.end(run)});
        }
      }
    }
    return ranges;
  }

  /** From the first to the last character of a message's turn; of what its author wrote, if {@code own}. Null for none. */
  private int[] turn(int message, boolean own) {
    int[] range = null;
    for (int run = 0; run < text.runs(); run++) {
      Origin origin = text.origin(run);
      if (range != null && origin.field() == Field.TEMPLATE && origin.message() != message && origin.message() != Origin.NOBODY) {
        // Another has the turn, who may name what this one called.
        break;
      }
      boolean written = origin.field() != Field.TEMPLATE && origin.field() != Field.ROLE;
      if (origin.message() == message && (!own || written)) {
        range = range == null ? new int[] {text.start(run), text.end(run)} : range;
        range[1] = text.end(run);
      }
    }
    return range;
  }

  /** Behind the last special token of the turn after what its author wrote. */
  private int end(int[] turn, int[] own) {
    int from = own == null ? turn[0] : own[1];
    int last = -1;
    for (SpecialTokens.Match match : specials) {
      if (match.start() >= from && match.end() <= turn[1]) {
        last = match.end();
      }
    }
    return last >= 0 ? last : turn[1];
  }

  /** The token that ends a turn where it stands outside of all turns, as behind the loop over the messages; or null. */
  private SpecialTokens.Match outside(int[] turn, int[] own) {
    int from = own == null ? turn[0] : own[1];
    if (specials.stream().anyMatch(match -> match.start() >= from && match.end() <= turn[1])) {
      return null;
    }
    int to = turn[1];
    for (int run = 0; run < text.runs(); run++) {
      if (text.start(run) == to && text.origin(run).message() == Origin.NOBODY) {
        to = text.end(run);
      }
    }
    int limit = to;
    return specials.stream().filter(match -> match.start() >= turn[1] && match.end() <= limit).findFirst().orElse(null);
  }

  /** Where the last special token before {@code end} begins, which is the output of a message without content. */
  private int stop(int from, int end) {
    return specials.stream().filter(match -> match.end() == end && match.start() > from).mapToInt(SpecialTokens.Match::start)
        .findFirst().orElse(end);
  }

  /** Where the model itself goes on after what it is given. */
  private int answer(int message, int[] turn, int[] own, int end) {
    Text prompt = writing.untilIfAny(message, true);
    Text before = writing.untilIfAny(message, false);
    int first = own == null ? end : own[0];
    if (prompt == null || before == null) {
      return own == null ? stop(turn[0], end) : first;
    }
    boolean asks = prompt.chars().length() > before.chars().length() && prompt.chars().startsWith(before.chars());
    if (asks && chars.startsWith(prompt.chars())) {
      return prompt.chars().length();
    }
    String header = asks ? prompt.chars().substring(before.chars().length()).strip() : "";
    return header.isEmpty() ? unasked(message, turn, own, end) : behind(header, turn[0], first);
  }

  /** Where an answer begins whose header the template writes as it asks for one, or at least as it begins to. */
  private int behind(String header, int from, int first) {
    int at = chars.indexOf(header, from);
    int start;
    if (at >= 0 && at + header.length() <= first) {
      start = at + header.length();
    } else {
      int begin = from;
      while (begin < first && Character.isWhitespace(chars.charAt(begin))) {
        begin++;
      }
      start = begin;
      for (int i = 0; i < header.length() && start < first && chars.charAt(start) == header.charAt(i); i++) {
        start++;
      }
      if (start == begin) {
        return from;
      }
    }
    while (start < first && chars.charAt(start) == '\n') {
      start++;
    }
    return start;
  }

  /** The same where the template has no header for an answer that is still to come. */
  private int unasked(int message, int[] turn, int[] own, int end) {
    for (int run = 0; run < text.runs(); run++) {
      if (text.origin(run).message() == message && text.origin(run).field() == Field.ROLE) {
        return own != null ? own[0] : stop(turn[0], end);
      }
    }
    String header = chars.substring(turn[0], own == null ? end : own[0]);
    boolean names = header.contains("assistant") || header.contains("Assistant") || header.contains("model");
    return names ? own == null ? stop(turn[0], end) : own[0] : turn[0];
  }
}
