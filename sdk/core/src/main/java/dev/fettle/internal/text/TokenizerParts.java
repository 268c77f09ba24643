package dev.fettle.internal.text;

import dev.fettle.InvalidInputException;
import dev.fettle.UnsupportedModelException;
import dev.fettle.internal.json.JsonNode;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Checks the parts of a {@code tokenizer.json} before the native library sees them: on some values it does not report
 * an error but ends the process.
 */
final class TokenizerParts {
  private static final Map<String, Set<String>> KNOWN = Map.of(
      "normalizer", Set.of("Sequence", "NFC", "NFD", "NFKC", "NFKD", "Lowercase", "Strip", "StripAccents", "Prepend",
          "Replace", "BertNormalizer", "ByteLevel", "Nmt", "Precompiled"),
      "pre_tokenizer", Set.of("Sequence", "ByteLevel", "Split", "Metaspace", "Digits", "Whitespace",
          "WhitespaceSplit", "BertPreTokenizer", "Punctuation", "UnicodeScripts", "CharDelimiterSplit"),
      "post_processor", Set.of("Sequence", "ByteLevel", "TemplateProcessing", "BertProcessing", "RobertaProcessing"),
      "decoder", Set.of("Sequence", "ByteLevel", "Replace", "ByteFallback", "Fuse", "Strip", "Metaspace", "WordPiece",
          "BPEDecoder"));
  static final Set<String> NAMES = KNOWN.keySet();
  private static final List<String> INNER = List.of("normalizers", "pretokenizers", "processors", "decoders");

  private final Path path;
  private final String name;

  private TokenizerParts(Path path, String name) {
    this.path = path;
    this.name = name;
  }

  /** Refuses a part that is not known to be safe. */
  static void check(Path path, String name, JsonNode part) {
    if (!part.isNull()) {
      new TokenizerParts(path, name).check(part, 0);
    }
  }

  /** Refuses settings of a model that are broken or make it depend on chance. */
  static void checkModel(Path path, JsonNode settings, int vocabulary) {
    TokenizerParts model = new TokenizerParts(path, "model");
    // Files of the first generation, such as GPT-2's, name no type; it is BPE.
    String type = settings.path("type").asString("BPE");
    if (!Set.of("BPE", "WordPiece", "WordLevel", "Unigram").contains(type)) {
      throw new UnsupportedModelException(path + ": the model \"" + type + "\" is not supported; known are BPE,"
          + " Unigram, WordLevel, WordPiece");
    }
    model.require(settings.path("dropout").asDouble(0) == 0, "drops merges at random, which is not supported");
    model.require(type.equals("WordPiece") || settings.path("continuing_subword_prefix").asString("").isEmpty(),
        "has a continuing_subword_prefix, which is not supported for " + type);
    model.require(settings.path("unk_id").asLong(0) >= 0 && settings.path("unk_id").asLong(0) < vocabulary,
        "has an unk_id outside the vocabulary");
  }

  private void check(JsonNode part, int depth) {
    require(part.isObject() && part.path("type").isString() && depth < 8, "is broken");
    String type = part.path("type").asString();
    if (!KNOWN.get(name).contains(type)) {
      throw new UnsupportedModelException(path + ": the " + name + " \"" + type + "\" is not supported; known are "
          + String.join(", ", KNOWN.get(name).stream().sorted().toList()));
    }
    for (String inner : INNER) {
      for (JsonNode child : part.path(inner)) {
        check(child, depth + 1);
      }
    }
    if (type.equals("Precompiled")) {
      require(CharacterTable.isWhole(part.path("precompiled_charsmap").asString("")), "has a broken precompiled_charsmap: download the "
          + "file again");
    }
    if (name.equals("decoder") && type.equals("Strip")) {
      // The library reads before the beginning of an empty token.
      require(part.path("stop").asInt(-1) == 0, "strips the end of tokens, which is not supported");
    }
  }

  private void require(boolean condition, String problem) {
    if (!condition) {
      throw new InvalidInputException(path + ": the " + name + " " + problem);
    }
  }
}
