package dev.fettle.internal.gguf;

import dev.fettle.internal.json.JsonNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * How byte-level tokenizers cut a text into words before they merge bytes, and what llama.cpp calls each way: found by what a
 * {@code tokenizer.json} says, not by whose it is.
 */
final class PreTokenizers {
  /** GPT-2's words, which the byte-level step of the tokenizers library cuts by itself. */
  private static final String BYTES_OF_WORDS = "bytes of words";
  private static final String BYTES = "bytes";
  private static final String DIGITS = "digits";

  private static final String TAIL = "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
  private static final String CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
  private static final String WORD = "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|";
  /** Qwen 2: digits one by one. */
  private static final String QWEN2 = CONTRACTIONS + WORD + "\\p{N}" + TAIL;
  /** Llama 3, and GPT-4: up to three digits together. */
  private static final String LLAMA3 = CONTRACTIONS + WORD + "\\p{N}{1,3}" + TAIL;
  /** The same words as tiktoken's files have them by now. */
  private static final String GPT4 = "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+|\\p{N}{1,3}"
      + "| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+";
  private static final String QWEN35 = CONTRACTIONS + "|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}"
      + "| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
  private static final String UPPER = "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]";
  private static final String LOWER = "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]";
  private static final String CASED_TAIL = "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
  /** Mistral's Tekken. */
  private static final String TEKKEN = UPPER + "*" + LOWER + "+|" + UPPER + "+" + LOWER + "*|\\p{N}" + CASED_TAIL;
  private static final String GPT4O = UPPER + "*" + LOWER + "+" + CONTRACTIONS + "?|" + UPPER + "+" + LOWER + "*" + CONTRACTIONS
      + "?|\\p{N}{1,3}" + CASED_TAIL;

  /** A way, by what the file says and whether whole words are taken as they are (ignore_merges). */
  private record Way(List<String> steps, boolean wholeWords) {}

  private static final Map<String, Way> WAYS = new LinkedHashMap<>();

  static {
    WAYS.put("gpt-2", new Way(List.of(BYTES_OF_WORDS), false));
    WAYS.put("smollm", new Way(List.of(DIGITS, BYTES_OF_WORDS), false));
    WAYS.put("qwen2", new Way(List.of(QWEN2, BYTES), false));
    WAYS.put("llama-bpe", new Way(List.of(LLAMA3, BYTES), true));
    WAYS.put("dbrx", new Way(List.of(LLAMA3, BYTES), false));
    WAYS.put("tekken", new Way(List.of(TEKKEN, BYTES), true));
    WAYS.put("gpt-4o", new Way(List.of(GPT4O, BYTES), false));
    WAYS.put("qwen35", new Way(List.of(QWEN35, BYTES), false));
  }

  /** Other names that files have for one of these ways. */
  private static final Map<String, String> ALIASES = Map.ofEntries(Map.entry("llama3", "llama-bpe"), Map.entry("llama-v3", "llama-bpe"),
      Map.entry("smaug-bpe", "dbrx"), Map.entry("olmo", "gpt-2"), Map.entry("refact", "smollm"), Map.entry("starcoder", "smollm"),
      Map.entry("command-r", "smollm"), Map.entry("codeshell", "smollm"), Map.entry("exaone", "smollm"),
      Map.entry("deepseek-r1-qwen", "qwen2"), Map.entry("phi-2", "gpt-2"), Map.entry("jina-es", "gpt-2"), Map.entry("jina-de", "gpt-2"),
      Map.entry("mpt", "gpt-2"), Map.entry("llama4", "gpt-4o"), Map.entry("stablelm2", "qwen2"));

  private PreTokenizers() {}

  /** llama.cpp's name for a pre-tokenizer, if it has one. */
  static Optional<String> name(JsonNode preTokenizer, boolean wholeWords) {
    List<String> steps = new ArrayList<>();
    if (!collect(preTokenizer, steps)) {
      return Optional.empty();
    }
    steps.replaceAll(step -> step.equals(GPT4) ? LLAMA3 : step);
    Way way = new Way(steps, wholeWords);
    return WAYS.entrySet().stream().filter(e -> e.getValue().equals(way)).map(Map.Entry::getKey).findFirst();
  }

  private static boolean collect(JsonNode node, List<String> steps) {
    switch (node.path("type").asString("")) {
      case "Sequence" -> {
        for (JsonNode inner : node.path("pretokenizers")) {
          if (!collect(inner, steps)) {
            return false;
          }
        }
        return true;
      }
      case "ByteLevel" -> {
        steps.add(node.path("use_regex").asBoolean(true) ? BYTES_OF_WORDS : BYTES);
        return !node.path("add_prefix_space").asBoolean(true);
      }
      case "Digits" -> {
        steps.add(DIGITS);
        return node.path("individual_digits").asBoolean(false);
      }
      case "Split" -> {
        steps.add(node.path("pattern").path("Regex").asString(""));
        boolean inverted = node.path("invert").asBoolean(false);
        String behaviour = node.path("behavior").asString("");
        return behaviour.equals("Isolated") && !inverted || behaviour.equals("Removed") && inverted;
      }
      default -> {
        return false;
      }
    }
  }

  /** The steps of a way with a name, as a {@code tokenizer.json} has them; empty if it is not known. */
  static Optional<List<Step>> steps(String name) {
    return Optional.ofNullable(WAYS.get(ALIASES.getOrDefault(name, name))).map(way -> way.steps.stream().map(step -> switch (step) {
      case BYTES_OF_WORDS -> new Step("ByteLevel", "", true);
      case BYTES -> new Step("ByteLevel", "", false);
      case DIGITS -> new Step("Digits", "", false);
      default -> new Step("Split", step, false);
    }).toList());
  }

  /** Whether a way takes whole words as they are. */
  static boolean takesWholeWords(String name) {
    return WAYS.get(ALIASES.getOrDefault(name, name)).wholeWords;
  }

  /** The names that are known. */
  static List<String> names() {
    return List.copyOf(WAYS.keySet());
  }

  /** A step, by its type; a pattern of Split, whether ByteLevel cuts words. */
  record Step(String type, String pattern, boolean words) {}
}
