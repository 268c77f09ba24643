package dev.fettle.internal.text;

import dev.fettle.internal.text.SpecialTokens.Match;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToIntBiFunction;

/** A tokenizer to which the text of a special token is text; it sees one only where it is told to. */
final class BlindTokenizer {
  private final NativeTokenizer library;
  private final Map<Integer, String> names;
  private final Map<Integer, Integer> real = new HashMap<>();

  BlindTokenizer(TokenizerFile file, Cuts cuts) {
    TokenizerFile.Blind blind = file.withoutSpecials();
    library = new NativeTokenizer(file.path(), blind.json(), cuts);
    names = blind.names();
    names.forEach((id, name) -> {
      int[] found = library.whole(name, false);
      if (found[found.length - 1] != id) {
        real.put(found[found.length - 1], id);
      }
    });
  }

  int[] encode(String text) {
    return library.encode(text);
  }

  /**
   * The tokens of a text with special tokens in these places.
   *
   * @param forged where to cut a text whose tokens hold a special one that was not told; -1 for nowhere
   */
  Spans encode(String text, List<Match> meant, ToIntBiFunction<String, int[]> forged) {
    StringBuilder marked = new StringBuilder();
    int from = 0;
    for (Match match : meant) {
      marked.append(text, from, match.start()).append(names.get(match.id()));
      from = match.end();
    }
    marked.append(text, from, text.length());
    Spans spans = unforged(marked.toString(), forged);
    int[] ids = spans.ids();
    int[] starts = spans.starts();
    int next = 0;
    int shift = 0;
    for (int i = 0; i < ids.length; i++) {
      while (next < meant.size() && starts[i] - shift >= meant.get(next).start() + names.get(meant.get(next).id()).length()) {
        Match match = meant.get(next++);
        shift += names.get(match.id()).length() - (match.end() - match.start());
      }
      starts[i] -= shift;
      if (next < meant.size()) {
        starts[i] = Math.min(starts[i], meant.get(next).start());
      }
      ids[i] = real.getOrDefault(ids[i], ids[i]);
    }
    return spans;
  }

  private Spans unforged(String marked, ToIntBiFunction<String, int[]> forged) {
    Spans spans = library.spans(marked);
    int cut = forged.applyAsInt(marked, spans.ids());
    return cut < 0 ? spans
        : unforged(marked.substring(0, cut), forged).plus(unforged(marked.substring(cut), forged), cut);
  }
}
