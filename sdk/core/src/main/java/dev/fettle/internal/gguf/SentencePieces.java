package dev.fettle.internal.gguf;

import dev.fettle.UnsupportedModelException;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.text.TokenizerContents;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * A tokenizer of sentencepiece's kind, which a {@code tokenizer.json} describes by merges and llama.cpp by a score for each token:
 * of two neighbours that make a token it joins those whose token has the best score.
 */
final class SentencePieces {
  private static final Pattern BYTE = Pattern.compile("<0x[0-9A-F]{2}>");

  private final TokenizerContents from;
  private final String[] tokens;
  private final TokenType[] types;
  private final Map<String, Integer> ranks = new HashMap<>();

  SentencePieces(TokenizerContents from, String[] tokens, TokenType[] types) {
    this.from = from;
    this.tokens = tokens;
    this.types = types;
    for (int i = 0; i < from.merges().size(); i++) {
      ranks.putIfAbsent(from.merges().get(i).left() + from.merges().get(i).right(), i);
    }
    markBytes(tokens, types);
  }

  /** Finds the tokens that stand for a byte. */
  static void markBytes(String[] tokens, TokenType... types) {
    for (int id = 0; id < tokens.length; id++) {
      if (BYTE.matcher(tokens[id]).matches()) {
        types[id] = TokenType.BYTE;
      }
    }
  }

  /** Whether a text is read as if a space stood before it. */
  boolean addsSpace() {
    JsonNode normalizer = from.part("normalizer");
    JsonNode cut = from.part("pre_tokenizer");
    boolean adds = false;
    boolean replaces = false;
    for (JsonNode step : normalizer.has("normalizers") ? normalizer.path("normalizers") : List.of(normalizer)) {
      switch (step.path("type").asString("")) {
        case "Prepend" -> adds = step.path("prepend").asString("").equals(TokenizerMetadata.SPACE_SIGN);
        case "Replace" -> replaces = isSpaceSign(step);
        case "" -> replaces = false;
        default -> throw unknown("the normalizer " + step.path("type").asString());
      }
    }
    switch (cut.path("type").asString("")) {
      case "Metaspace" -> {
        adds = !prepends(cut).equals("never");
        replaces = cut.path("replacement").asString("").equals(TokenizerMetadata.SPACE_SIGN)
            && !cut.path("split").asBoolean(true);
      }
      case "", "Split" -> replaces &= cut.isMissingNode() || cut.isNull() || cut.path("pattern").path("String").asString("").equals(" ");
      default -> throw unknown("the pre_tokenizer " + cut.path("type").asString());
    }
    if (!replaces) {
      throw unknown("spaces that do not become " + TokenizerMetadata.SPACE_SIGN);
    }
    return adds;
  }

  /** When Metaspace puts a space before a text: always, first, never. Older files say add_prefix_space. */
  static String prepends(JsonNode metaspace) {
    String whenAbsent = metaspace.path("add_prefix_space").asBoolean(true) ? "always" : "never";
    return metaspace.path("prepend_scheme").asString(whenAbsent);
  }

  /** Whether a normalizer puts sentencepiece's sign for each space. */
  static boolean isSpaceSign(JsonNode replace) {
    return replace.path("pattern").path("String").asString("").equals(" ")
        && replace.path("content").asString("").equals(TokenizerMetadata.SPACE_SIGN);
  }

  private UnsupportedModelException unknown(String what) {
    return new UnsupportedModelException(from.path() + ": a tokenizer with byte_fallback and " + what + "; llama.cpp would cut texts "
        + "otherwise");
  }

  /** The score of each token: the earlier its merge, the better. */
  double[] scores() {
    double[] scores = new double[tokens.length];
    for (int id = 0; id < scores.length; id++) {
      if (types[id] == TokenType.NORMAL || types[id] == TokenType.USER_DEFINED) {
        scores[id] = -ranks.getOrDefault(tokens[id], from.merges().size());
      }
    }
    return scores;
  }

  /** Where the merges say something that scores cannot, if anywhere. */
  Optional<String> firstDifference() {
    Set<TokenizerContents.Merge> merges = new HashSet<>(from.merges());
    for (Map.Entry<String, Integer> entry : ranks.entrySet()) {
      String token = entry.getKey();
      int splits = 0;
      for (int at = token.offsetByCodePoints(0, 1); at < token.length(); at = token.offsetByCodePoints(at, 1)) {
        var merge = new TokenizerContents.Merge(token.substring(0, at), token.substring(at));
        boolean both = from.vocabulary().containsKey(merge.left()) && from.vocabulary().containsKey(merge.right());
        if (both && !merges.contains(merge)) {
          return Optional.of("no merge joins \"" + merge.left() + "\" and \"" + merge.right() + "\" to a token that there is");
        }
        splits += both ? 1 : 0;
      }
      int last = entry.getValue() + splits - 1;
      if (last < from.merges().size()) {
        TokenizerContents.Merge merge = from.merges().get(last);
        if (!(merge.left() + merge.right()).equals(token)) {
          return Optional.of("the merges that lead to \"" + token + "\" do not stand together");
        }
      }
    }
    return Optional.empty();
  }
}
