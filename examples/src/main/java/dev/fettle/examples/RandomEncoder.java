package dev.fettle.examples;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The sizes of an encoder of {@link RandomModel}. */
record RandomEncoder(int vocab, int hidden, int intermediate, int layers, int heads, int context)
    implements RandomModel.Shape {
  private static final List<String> SPECIAL = List.of("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]");

  @Override
  public Map<String, Object> config() {
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("model_type", "bert");
    config.put("vocab_size", vocab);
    config.put("hidden_size", hidden);
    config.put("intermediate_size", intermediate);
    config.put("num_hidden_layers", layers);
    config.put("num_attention_heads", heads);
    config.put("max_position_embeddings", context);
    config.put("type_vocab_size", 2);
    config.put("hidden_act", "gelu");
    config.put("layer_norm_eps", 1e-12);
    config.put("pad_token_id", 0);
    return config;
  }

  /** WordPiece over words of four letters, as many as the vocabulary holds. */
  @Override
  public Map<String, Object> tokenizer() {
    Map<String, Integer> words = new LinkedHashMap<>();
    SPECIAL.forEach(token -> words.put(token, words.size()));
    while (words.size() < vocab) {
      StringBuilder word = new StringBuilder();
      for (int rest = words.size(); word.length() < 4; rest /= 26) {
        word.append((char) ('a' + rest % 26));
      }
      words.put(word.toString(), words.size());
    }
    List<Map<String, Object>> added = new ArrayList<>();
    for (String token : SPECIAL) {
      added.add(Map.of("id", words.get(token), "content", token, "single_word", false, "lstrip", false, "rstrip", false,
          "normalized", false, "special", true));
    }
    Map<String, Object> tokenizer = new LinkedHashMap<>();
    tokenizer.put("version", "1.0");
    tokenizer.put("added_tokens", added);
    tokenizer.put("normalizer", Map.of("type", "BertNormalizer", "clean_text", true, "handle_chinese_chars", true,
        "lowercase", true));
    tokenizer.put("pre_tokenizer", Map.of("type", "BertPreTokenizer"));
    tokenizer.put("post_processor", Map.of("type", "TemplateProcessing",
        "single", List.of(special("[CLS]"), text("A", 0), special("[SEP]")),
        "pair", List.of(special("[CLS]"), text("A", 0), special("[SEP]"), text("B", 1), special("[SEP]")),
        "special_tokens", Map.of("[CLS]", ids("[CLS]"), "[SEP]", ids("[SEP]"))));
    tokenizer.put("decoder", Map.of("type", "WordPiece", "prefix", "##", "cleanup", true));
    tokenizer.put("model", Map.of("type", "WordPiece", "unk_token", "[UNK]", "continuing_subword_prefix", "##",
        "max_input_chars_per_word", 100, "vocab", words));
    return tokenizer;
  }

  private static Map<String, Object> special(String token) {
    return Map.of("SpecialToken", Map.of("id", token, "type_id", 0));
  }

  private static Map<String, Object> text(String id, int type) {
    return Map.of("Sequence", Map.of("id", id, "type_id", type));
  }

  private static Map<String, Object> ids(String token) {
    return Map.of("id", token, "ids", List.of(SPECIAL.indexOf(token)), "tokens", List.of(token));
  }
}
