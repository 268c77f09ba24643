package dev.fettle.internal.text;

import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.text.TokenizerFile.Added;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Where a long text may be cut so that its parts, each tokenised by itself, give the ids of the whole: between a letter
 * or digit and a character at which all that this tokenizer does begins anew. A tokenizer that does anything for which
 * this is not known is not cut.
 */
final class Cuts {
  private static final Cuts NONE = new Cuts("", false);
  private static final String SPACE = " ";
  /** None of them composes with what is before it, in any Unicode normal form. */
  private static final String ALL = " \n,\"，。、";
  private static final String MARK = "▁";
  private static final Pattern INNER_MARK = Pattern.compile("[^▁]▁");
  private static final Set<String> UNICODE = Set.of("NFC", "NFD", "NFKC", "NFKD", "Lowercase");

  private static final String SHORT = "'s|'t|'re|'ve|'m|'ll|'d";
  private static final String WORDS = "(?i:" + SHORT + ")|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|";
  private static final String REST = "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n";
  private static final String WHITE = "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
  private static final String UPPER = "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]";
  private static final String LOWER = "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]";

  /**
   * Expressions of Qwen 2 and 3, Llama 3, GPT-4o, GPT-2 and fettle-tiny. No match goes on from a letter or digit to one
   * of {@link #ALL}; nothing looks back, and ahead only white space does.
   */
  static final Set<String> EXPRESSIONS = Set.of(
      WORDS + "\\p{N}" + REST + "]*" + WHITE,
      WORDS + "\\p{N}{1,3}" + REST + "]*" + WHITE,
      "[^\\r\\n\\p{L}\\p{N}]?" + UPPER + "*" + LOWER + "+(?i:" + SHORT + ")?|[^\\r\\n\\p{L}\\p{N}]?" + UPPER + "+"
          + LOWER + "*(?i:" + SHORT + ")?|\\p{N}{1,3}" + REST + "/]*" + WHITE,
      SHORT + "| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
      " ?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+|\\s");

  private final String before;
  private final boolean dropped;

  private Cuts(String before, boolean dropped) {
    this.before = before;
    this.dropped = dropped;
  }

  static Cuts of(TokenizerFile file) {
    List<JsonNode> normalizers = flat(file.part("normalizer"), "normalizers");
    List<JsonNode> splitters = flat(file.part("pre_tokenizer"), "pretokenizers");
    if (!file.added().stream().allMatch(Cuts::isWhole)) {
      return NONE;
    } else if (normalizers.stream().allMatch(n -> UNICODE.contains(type(n)))) {
      return new Cuts(before(splitters, file), false);
    } else if (types(normalizers).equals(List.of("BertNormalizer"))
        && types(splitters).equals(List.of("BertPreTokenizer"))) {
      return new Cuts(ALL, false);
    } else if (!splitters.isEmpty() || !normalizers.stream().allMatch(Cuts::marks) || !isApart(file)) {
      return NONE;
    }
    List<String> marking = types(normalizers);
    boolean puts = marking.remove("Prepend");
    boolean begun = file.added().stream().map(added -> added.content().charAt(0))
        .anyMatch(c -> isWord(c) || isSeparate(c));
    return marking.equals(List.of("Replace")) && !(puts && begun) ? new Cuts(SPACE, puts) : NONE;
  }

  /** The characters before which these steps always split, whatever is there. */
  private static String before(List<JsonNode> steps, TokenizerFile file) {
    if (types(steps).equals(List.of("BertPreTokenizer"))) {
      return ALL;
    } else if (types(steps).equals(List.of("Metaspace"))) {
      JsonNode marks = steps.get(0);
      boolean splits = marks.path("replacement").asString("").equals(MARK)
          && (marks.path("split").asBoolean(true) || isApart(file));
      return splits ? SPACE : "";
    }
    boolean splits = false;
    boolean prefixed = false;
    for (int i = 0; i < steps.size(); i++) {
      JsonNode step = steps.get(i);
      switch (type(step)) {
        case "Digits" -> { }
        case "Split" -> {
          splits = true;
          if (!EXPRESSIONS.contains(step.path("pattern").path("Regex").asString(""))
              || !step.path("behavior").asString("").equals("Isolated") || step.path("invert").asBoolean(false)) {
            return "";
          }
        }
        case "ByteLevel" -> {
          splits |= step.path("use_regex").asBoolean(true);
          prefixed = step.path("add_prefix_space").asBoolean(true);
          if (i < steps.size() - 1) {
            return "";
          }
        }
        default -> {
          return "";
        }
      }
    }
    return !splits ? "" : prefixed ? SPACE : ALL;
  }

  /** Whether a normalizer writes the mark for spaces, or puts it before a text. */
  private static boolean marks(JsonNode normalizer) {
    return type(normalizer).equals("Prepend") && normalizer.path("prepend").asString("").equals(MARK)
        || type(normalizer).equals("Replace") && normalizer.path("content").asString("").equals(MARK)
            && normalizer.path("pattern").path("String").asString("").equals(SPACE);
  }

  /** Whether no merge, in a text that is not split, goes on from one word into the mark before the next. */
  private static boolean isApart(TokenizerFile file) {
    JsonNode model = file.part("model");
    return model.path("type").asString("BPE").equals("BPE") && !model.path("ignore_merges").asBoolean(false)
        && model.path("end_of_word_suffix").asString("").isEmpty() && file.vocab().containsKey(MARK)
        && file.vocab().keySet().stream().noneMatch(token -> INNER_MARK.matcher(token).find());
  }

  /** Whether an added token is either within a word or between words, and found whatever stands around it. */
  private static boolean isWhole(Added added) {
    String all = added.content() + Normalizer.normalize(added.content(), Normalizer.Form.NFKD);
    boolean separate = all.chars().anyMatch(c -> isSeparate((char) c));
    return !all.isEmpty() && !added.singleWord() && !(added.rstrip() && isWord(all.charAt(all.length() - 1)))
        && (!separate || all.chars().allMatch(c -> isSeparate((char) c)));
  }

  private static boolean isSeparate(char c) {
    return Character.isWhitespace(c) || Character.isSpaceChar(c) || Character.isISOControl(c)
        || Character.getType(c) == Character.FORMAT || MARK.indexOf(c) >= 0 || ALL.indexOf(c) >= 0;
  }

  /** Where the part ends that goes on at least to {@code from}. */
  int end(String text, int from) {
    for (int i = Math.max(from, 1); i < text.length() && !before.isEmpty(); i++) {
      char c = text.charAt(i);
      if (before.indexOf(c) >= 0 && isWord(text.charAt(i - 1)) && (c == ' ' || isPlain(text.charAt(i - 1)))
          && !(dropped && (i == text.length() - 1 || !isWord(text.charAt(i + 1))))) {
        return i;
      }
    }
    return text.length();
  }

  /** Where the next part begins: a space is left out if the tokenizer puts one before each text. */
  int resume(String text, int end) {
    return dropped && end < text.length() ? end + 1 : end;
  }

  private static boolean isWord(char c) {
    return switch (Character.getType(c)) {
      case Character.UPPERCASE_LETTER, Character.LOWERCASE_LETTER, Character.OTHER_LETTER,
          Character.DECIMAL_DIGIT_NUMBER -> true;
      default -> false;
    };
  }

  /** Whether a letter is one in all versions of Unicode, and stays one without an accent in all normal forms. */
  private static boolean isPlain(char c) {
    String lower = Character.toString(c).toLowerCase(Locale.ROOT);
    return c < 128 || (c < 0x500 || c >= 0x3041 && c <= 0x3093 || c >= 0x4e00 && c <= 0x9fa5) && lower.length() == 1
        && Normalizer.isNormalized(Character.toString(c), Normalizer.Form.NFKD)
        && Normalizer.isNormalized(lower, Normalizer.Form.NFKD);
  }

  private static List<JsonNode> flat(JsonNode part, String inner) {
    List<JsonNode> out = new ArrayList<>();
    if (type(part).equals("Sequence")) {
      part.path(inner).forEach(child -> out.addAll(flat(child, inner)));
    } else if (part.isObject()) {
      out.add(part);
    }
    return out;
  }

  private static List<String> types(List<JsonNode> parts) {
    return new ArrayList<>(parts.stream().map(Cuts::type).toList());
  }

  private static String type(JsonNode part) {
    return part.path("type").asString("");
  }
}
