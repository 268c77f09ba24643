package dev.fettle.internal.gguf;

import dev.fettle.UnsupportedModelException;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.text.TokenizerContents;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/**
 * A tokenizer that cuts a text into the pieces whose scores add up to the most (Kudo 2018), which llama.cpp calls T5's. There the
 * normalizer is a table, a space before the text, and that of several spaces one is left; nothing else.
 */
final class UnigramPieces {
  private static final double SCORE_OF_NONE = -10_000;
  private static final String SEVERAL_SPACES = " {2,}";

  private final TokenizerContents from;
  private final List<String> differences = new ArrayList<>();
  private byte[] table = {};
  private boolean addsSpace;
  private boolean mergesSpaces;
  private boolean dropsLast;
  private boolean marksSpaces;

  UnigramPieces(TokenizerContents from) {
    this.from = from;
    JsonNode normalizer = from.part("normalizer");
    for (JsonNode step : normalizer.has("normalizers") ? normalizer.path("normalizers") : List.of(normalizer)) {
      normalizer(step);
    }
    JsonNode cut = from.part("pre_tokenizer");
    for (JsonNode step : cut.has("pretokenizers") ? cut.path("pretokenizers") : List.of(cut)) {
      cut(step);
    }
    if (!marksSpaces) {
      throw unknown("spaces that do not become " + TokenizerMetadata.SPACE_SIGN);
    }
    if (mergesSpaces && !addsSpace) {
      throw unknown("several spaces that become one, and none before a text");
    }
    if (mergesSpaces && !dropsLast) {
      differences.add("spaces at the end of a text are dropped");
    }
    if (from.part("model").path("byte_fallback").asBoolean(false)) {
      differences.add("a character without a token is unknown, and not its bytes");
    }
  }

  private void normalizer(JsonNode step) {
    String type = step.path("type").asString("");
    switch (type) {
      case "", "NFC" -> {
        return;
      }
      case "Precompiled" -> table = Base64.getDecoder().decode(step.path("precompiled_charsmap").asString(""));
      case "Prepend" -> addsSpace = step.path("prepend").asString("").equals(TokenizerMetadata.SPACE_SIGN);
      case "Strip" -> dropsLast = step.path("strip_right").asBoolean(true);
      case "Replace" -> replace(step);
      default -> throw unknown("the normalizer " + type);
    }
  }

  private void replace(JsonNode step) {
    String content = step.path("content").asString("");
    if (step.path("pattern").path("Regex").asString("").equals(SEVERAL_SPACES)
        && (content.equals(" ") || content.equals(TokenizerMetadata.SPACE_SIGN))) {
      mergesSpaces = true;
    } else if (SentencePieces.isSpaceSign(step)) {
      marksSpaces = true;
    } else {
      throw unknown("a normalizer that replaces " + step.path("pattern"));
    }
  }

  private void cut(JsonNode step) {
    String type = step.path("type").asString("");
    switch (type) {
      case "" -> {
        return;
      }
      case "WhitespaceSplit" -> {
        if (table.length == 0) {
          throw unknown("the pre_tokenizer WhitespaceSplit without a table that makes a space of each of them");
        }
        mergesSpaces = true;
        dropsLast = true;
      }
      case "Metaspace" -> {
        String when = SentencePieces.prepends(step);
        addsSpace = !when.equals("never");
        marksSpaces = step.path("replacement").asString("").equals(TokenizerMetadata.SPACE_SIGN);
        if (when.equals("first")) {
          differences.add("a space is put before what follows a special token too");
        }
        if (addsSpace && !mergesSpaces) {
          differences.add("a space is put before a text that begins with one too");
        }
      }
      default -> throw unknown("the pre_tokenizer " + type);
    }
  }

  private UnsupportedModelException unknown(String what) {
    return new UnsupportedModelException(from.path() + ": a Unigram tokenizer with " + what + "; llama.cpp would cut texts otherwise");
  }

  /** What llama.cpp does otherwise in rare texts. */
  List<String> differences() {
    return differences;
  }

  void put(Metadata into, String[] tokens, TokenType[] types) {
    int unknown = from.part("model").path("unk_id").asInt(-1);
    if (unknown < 0 || unknown >= tokens.length) {
      throw unknown("no unk_id");
    }
    types[unknown] = TokenType.UNKNOWN;
    into.put(TokenizerMetadata.MODEL, "t5");
    into.put(TokenizerMetadata.PRE, "default");
    into.put(TokenizerMetadata.SPACE, addsSpace);
    into.put(TokenizerMetadata.MERGES_SPACES, mergesSpaces);
    into.put(TokenizerMetadata.UNKNOWN, (long) unknown);
    if (table.length > 0) {
      long[] bytes = new long[table.length];
      for (int i = 0; i < bytes.length; i++) {
        bytes[i] = table[i] & 0xFF;
      }
      into.putBytes(TokenizerMetadata.TABLE, bytes);
    }
    double[] scores = new double[tokens.length];
    for (int id = 0; id < scores.length; id++) {
      scores[id] = from.scores().getOrDefault(tokens[id], types[id] == TokenType.UNUSED ? SCORE_OF_NONE : 0.0);
    }
    into.put(TokenizerMetadata.SCORES, scores);
  }
}
