package dev.fettle.internal.text;

import dev.fettle.internal.template.Text;
import dev.fettle.internal.text.TokenizerFile.Added;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Finds the special tokens of a tokenizer where a text may be trusted to mean them. */
final class SpecialTokens {
  /** A special token in a text, in Java's characters. */
  record Match(int start, int end, int id) {}

  private final Map<Character, List<Added>> byFirst = new HashMap<>();

  SpecialTokens(List<Added> added) {
    added.stream().filter(token -> token.special() && !token.content().isEmpty())
        .sorted(Comparator.comparingInt((Added token) -> token.content().length()).reversed())
        .forEach(token -> byFirst.computeIfAbsent(token.content().charAt(0), c -> new ArrayList<>()).add(token));
  }

  /** Those in the parts that nobody but the template's author wrote; in all of the text where {@code trust} is set. */
  List<Match> find(Text text, boolean trust) {
    List<Match> matches = new ArrayList<>();
    for (int run = 0; run < text.runs(); run++) {
      if (trust || text.origin(run).trusted()) {
        int start = text.start(run);
        while (run + 1 < text.runs() && (trust || text.origin(run + 1).trusted())) {
          run++;
        }
        find(text.chars(), start, text.end(run), matches);
      }
    }
    return matches;
  }

  private void find(String chars, int from, int to, List<Match> matches) {
    for (int at = from; at < to; ) {
      Added token = at(chars, at, to);
      if (token == null) {
        at++;
      } else {
        matches.add(new Match(at, at + token.content().length(), token.id()));
        at += token.content().length();
      }
    }
  }

  private Added at(String chars, int at, int to) {
    for (Added token : byFirst.getOrDefault(chars.charAt(at), List.of())) {
      int end = at + token.content().length();
      if (end <= to && chars.startsWith(token.content(), at)
          && !(token.singleWord() && (isWord(chars, at - 1) || isWord(chars, end)))) {
        return token;
      }
    }
    return null;
  }

  private static boolean isWord(String chars, int at) {
    return at >= 0 && at < chars.length() && (Character.isLetterOrDigit(chars.charAt(at)) || chars.charAt(at) == '_');
  }
}
