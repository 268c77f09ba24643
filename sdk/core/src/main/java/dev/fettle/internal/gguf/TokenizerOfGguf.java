package dev.fettle.internal.gguf;

import dev.fettle.InvalidInputException;
import dev.fettle.UnsupportedModelException;
import dev.fettle.internal.checkpoint.StrictJson;
import dev.fettle.internal.json.ArrayNode;
import dev.fettle.internal.json.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.IntStream;

/** The tokenizer and chat templates of a GGUF, as the files that a directory in Hugging Face layout has for them. */
final class TokenizerOfGguf {
  private static final String ADDED = "added_tokens";

  private final Metadata from;
  private final String[] tokens;
  private final TokenType[] types;
  private final Map<String, Integer> ids = new HashMap<>();
  private final ObjectNode root = new ObjectNode();

  private TokenizerOfGguf(Metadata from) {
    this.from = from;
    this.tokens = from.texts(TokenizerMetadata.TOKENS).orElseThrow(() -> from.missing(TokenizerMetadata.TOKENS)).toArray(String[]::new);
    this.types = types();
    for (int id = 0; id < tokens.length; id++) {
      Integer other = ids.putIfAbsent(tokens[id], id);
      if (other != null && types[id] != TokenType.UNUSED) {
        throw new UnsupportedModelException(from.source() + ": " + TokenizerMetadata.TOKENS + ": the tokens " + other + " and " + id
            + " have one text");
      }
    }
  }

  private TokenType[] types() {
    long[] all = from.wholes(TokenizerMetadata.TYPES).orElseGet(() ->
        IntStream.range(0, tokens.length).mapToLong(i -> TokenType.NORMAL.id()).toArray());
    TokenType[] result = new TokenType[tokens.length];
    requireForEach(TokenizerMetadata.TYPES, all.length);
    for (int i = 0; i < result.length; i++) {
      if (all[i] < 1 || all[i] > TokenType.values().length) {
        throw new InvalidInputException(from.source() + ": " + TokenizerMetadata.TYPES + ": that of token " + i + " is " + all[i]
            + "; it must be from 1 to " + TokenType.values().length);
      }
      result[i] = TokenType.values()[(int) all[i] - 1];
    }
    return result;
  }

  private void requireForEach(String key, int length) {
    if (length != tokens.length) {
      throw new InvalidInputException(from.source() + ": " + key + " has " + length + " values for " + tokens.length + " tokens");
    }
  }

  /** The files by their names; none where the file has no tokenizer. */
  static Map<String, byte[]> files(Metadata from) {
    Map<String, byte[]> files = new LinkedHashMap<>();
    String kind = from.text(TokenizerMetadata.MODEL).orElse(TokenizerMetadata.NONE);
    if (kind.equals(TokenizerMetadata.NONE) || kind.equals("no_vocab")) {
      return files;
    }
    TokenizerOfGguf reader = new TokenizerOfGguf(from);
    switch (kind) {
      case "gpt2" -> reader.bytePairs();
      case "llama" -> reader.sentencePieces();
      case "t5" -> reader.unigram();
      default -> throw new UnsupportedModelException(from.source() + ": " + TokenizerMetadata.MODEL + " is " + kind
          + "; tokenizers of the kinds gpt2, llama and t5 are read");
    }
    reader.frame();
    files.put("tokenizer.json", StrictJson.compact(reader.root).getBytes(StandardCharsets.UTF_8));
    files.put("tokenizer_config.json", StrictJson.write(reader.config()).getBytes(StandardCharsets.UTF_8));
    return files;
  }

  private OptionalInt id(String key) {
    return from.whole(key, 0, tokens.length - 1);
  }

  private ObjectNode part(String name, String type) {
    return root.putObject(name).put("type", type);
  }

  /** How many tokens the vocabulary has: what stands behind the last plain one is added alone. */
  private int plain() {
    int count = tokens.length;
    while (count > 0 && types[count - 1] != TokenType.NORMAL && types[count - 1] != TokenType.BYTE
        && types[count - 1] != TokenType.UNKNOWN) {
      count--;
    }
    return count;
  }

  private void vocabulary(ObjectNode model) {
    ObjectNode vocabulary = model.putObject("vocab");
    int plain = plain();
    for (int id = 0; id < plain; id++) {
      if (ids.get(tokens[id]) == id) {
        vocabulary.put(tokens[id], id);
      }
    }
    addedTokens();
  }

  private void addedTokens() {
    int plain = plain();
    int end = tokens.length;
    while (end > plain && types[end - 1] == TokenType.UNUSED) {
      end--;
    }
    ArrayNode added = root.putArray(ADDED);
    for (int id = 0; id < end; id++) {
      boolean special = types[id] == TokenType.CONTROL || types[id] == TokenType.UNKNOWN;
      if (id >= plain || special || types[id] == TokenType.USER_DEFINED) {
        added.addObject().put("id", id).put("content", tokens[id]).put("single_word", false).put("lstrip", false).put("rstrip", false)
            .put("normalized", false).put("special", special);
      }
    }
  }

  private ObjectNode model() {
    return part("model", "BPE").putNull("dropout");
  }

  private void bytePairs() {
    String pre = from.text(TokenizerMetadata.PRE).orElse("default");
    List<PreTokenizers.Step> steps = PreTokenizers.steps(pre).orElseThrow(() -> new UnsupportedModelException(from.source() + ": "
        + TokenizerMetadata.PRE + " is " + pre + "; those that are read are " + String.join(", ", PreTokenizers.names())));
    root.putNull("normalizer");
    ArrayNode sequence = part("pre_tokenizer", "Sequence").putArray("pretokenizers");
    for (PreTokenizers.Step step : steps) {
      ObjectNode node = sequence.addObject().put("type", step.type());
      switch (step.type()) {
        case "ByteLevel" -> node.put("add_prefix_space", false).put("trim_offsets", true).put("use_regex", step.words());
        case "Digits" -> node.put("individual_digits", true);
        default -> node.put("behavior", "Isolated").put("invert", false).putObject("pattern").put("Regex", step.pattern());
      }
    }
    part("decoder", "ByteLevel").put("add_prefix_space", true).put("trim_offsets", true).put("use_regex", true);
    ObjectNode model = model().putNull("unk_token").put("byte_fallback", false)
        .put("ignore_merges", PreTokenizers.takesWholeWords(pre));
    vocabulary(model);
    ArrayNode merges = model.putArray("merges");
    for (String merge : from.texts(TokenizerMetadata.MERGES).orElseThrow(() -> from.missing(TokenizerMetadata.MERGES))) {
      int space = merge.indexOf(' ', 1);
      String left = space < 0 ? "" : merge.substring(0, space);
      String right = space < 0 ? "" : merge.substring(space + 1);
      if (!ids.containsKey(left) || !ids.containsKey(right) || !ids.containsKey(left + right)) {
        throw new InvalidInputException(from.source() + ": " + TokenizerMetadata.MERGES + ": \"" + merge + "\" is no pair of tokens that "
            + "make one");
      }
      merges.addArray().add(left).add(right);
    }
  }

  private double[] scores() {
    double[] scores = from.numbers(TokenizerMetadata.SCORES).orElseThrow(() -> from.missing(TokenizerMetadata.SCORES));
    requireForEach(TokenizerMetadata.SCORES, scores.length);
    return scores;
  }

  private void unigram() {
    double[] scores = scores();
    ObjectNode model = part("model", "Unigram").put("byte_fallback", Arrays.asList(types).contains(TokenType.BYTE));
    id(TokenizerMetadata.UNKNOWN).ifPresent(unknown -> model.put("unk_id", unknown));
    ArrayNode vocabulary = model.putArray("vocab");
    int plain = plain();
    for (int id = 0; id < plain; id++) {
      if (!Double.isFinite(scores[id])) {
        throw new InvalidInputException(from.source() + ": " + TokenizerMetadata.SCORES + ": that of token " + id + " is " + scores[id]
            + "; it must be a finite number");
      }
      vocabulary.addArray().add(tokens[id]).add(scores[id]);
    }
    addedTokens();
    ArrayNode normalizers = part("normalizer", "Sequence").putArray("normalizers");
    from.wholes(TokenizerMetadata.TABLE).filter(table -> table.length > 0).ifPresent(table ->
        normalizers.addObject().put("type", "Precompiled").put("precompiled_charsmap", table(table)));
    boolean merges = from.yes(TokenizerMetadata.MERGES_SPACES).orElse(false);
    if (merges) {
      normalizers.addObject().put("type", "Strip").put("strip_left", true).put("strip_right", true);
      normalizers.addObject().put("type", "Replace").put("content", " ").putObject("pattern").put("Regex", " {2,}");
    }
    spaces(normalizers, merges || from.yes(TokenizerMetadata.SPACE).orElse(true));
  }

  private static String table(long... table) {
    byte[] bytes = new byte[table.length];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) table[i];
    }
    return Base64.getEncoder().encodeToString(bytes);
  }

  private void sentencePieces() {
    double[] scores = scores();
    String unknown = id(TokenizerMetadata.UNKNOWN).stream().mapToObj(i -> tokens[i]).findFirst().orElse(null);
    ObjectNode model = model().put("unk_token", unknown).put("fuse_unk", true).put("byte_fallback", true).put("ignore_merges", false);
    vocabulary(model);
    ArrayNode merges = model.putArray("merges");
    pairs(scores).forEach(pair -> merges.addArray().add(pair.left).add(pair.right));
    spaces(part("normalizer", "Sequence").putArray("normalizers"), from.yes(TokenizerMetadata.SPACE).orElse(true));
  }

  /** Spaces are signs within tokens, and a text begins with one where it is said. */
  private void spaces(ArrayNode normalizers, boolean space) {
    if (space) {
      normalizers.addObject().put("type", "Prepend").put("prepend", TokenizerMetadata.SPACE_SIGN);
    }
    replace(normalizers, " ", TokenizerMetadata.SPACE_SIGN);
    root.putNull("pre_tokenizer");
    ArrayNode decoders = part("decoder", "Sequence").putArray("decoders");
    replace(decoders, TokenizerMetadata.SPACE_SIGN, " ");
    decoders.addObject().put("type", "ByteFallback");
    decoders.addObject().put("type", "Fuse");
    if (space) {
      decoders.addObject().put("type", "Strip").put("content", " ").put("start", 1).put("stop", 0);
    }
  }

  private static void replace(ArrayNode into, String pattern, String content) {
    into.addObject().put("type", "Replace").put("content", content).putObject("pattern").put("String", pattern);
  }

  private record Pair(String left, String right, double score, int of, int leftId, int rightId) {}

  /** All pairs of tokens that make a token, that with the best score first. */
  private List<Pair> pairs(double... scores) {
    List<Pair> pairs = new ArrayList<>();
    Set<TokenType> joinable = new HashSet<>(List.of(TokenType.NORMAL, TokenType.USER_DEFINED));
    for (int id = 0; id < tokens.length; id++) {
      String token = tokens[id];
      for (int at = 1; joinable.contains(types[id]) && at < token.length(); at++) {
        Integer left = Character.isLowSurrogate(token.charAt(at)) ? null : ids.get(token.substring(0, at));
        Integer right = left == null ? null : ids.get(token.substring(at));
        if (right != null && joinable.contains(types[left]) && joinable.contains(types[right])) {
          pairs.add(new Pair(token.substring(0, at), token.substring(at), scores[id], id, left, right));
        }
      }
    }
    pairs.sort((a, b) -> a.score != b.score ? Double.compare(b.score, a.score) : a.of != b.of ? Integer.compare(a.of, b.of)
        : a.leftId != b.leftId ? Integer.compare(a.leftId, b.leftId) : Integer.compare(a.rightId, b.rightId));
    return pairs;
  }

  private boolean adds(String flag, OptionalInt id, boolean whenAbsent) {
    return id.isPresent() && from.yes(flag).orElse(whenAbsent);
  }

  private boolean addsBos() {
    boolean usual = from.text(TokenizerMetadata.MODEL).orElse("").equals("llama");
    return adds(TokenizerMetadata.ADDS_BOS, id(TokenizerMetadata.BOS), usual);
  }

  /** The tokens that stand around a text. */
  private void frame() {
    ObjectNode processor = part("post_processor", "TemplateProcessing");
    ArrayNode single = processor.putArray("single");
    ArrayNode pair = processor.putArray("pair");
    ObjectNode specials = processor.putObject("special_tokens");
    OptionalInt bos = id(TokenizerMetadata.BOS);
    OptionalInt eos = id(TokenizerMetadata.EOS);
    for (int i = 0; i < 2; i++) {
      for (ArrayNode template : i == 0 ? List.of(single, pair) : List.of(pair)) {
        if (addsBos()) {
          special(template, specials, bos.getAsInt(), i);
        }
        template.addObject().putObject("Sequence").put("id", i == 0 ? "A" : "B").put("type_id", i);
        if (adds(TokenizerMetadata.ADDS_EOS, eos, false)) {
          special(template, specials, eos.getAsInt(), i);
        }
      }
    }
  }

  private void special(ArrayNode template, ObjectNode specials, int id, int type) {
    template.addObject().putObject("SpecialToken").put("id", tokens[id]).put("type_id", type);
    ObjectNode special = specials.putObject(tokens[id]).put("id", tokens[id]);
    special.putArray("ids").add(id);
    special.putArray("tokens").add(tokens[id]);
  }

  private ObjectNode config() {
    ObjectNode config = new ObjectNode();
    config.put("add_bos_token", addsBos());
    Map.of("bos_token", TokenizerMetadata.BOS, "eos_token", TokenizerMetadata.EOS, "unk_token", TokenizerMetadata.UNKNOWN, "pad_token",
        TokenizerMetadata.PADDING).forEach((name, key) -> id(key).ifPresent(id -> config.put(name, tokens[id])));
    List<String> named = from.keys().stream().filter(key -> key.startsWith(TokenizerMetadata.TEMPLATE + ".")).toList();
    if (named.isEmpty()) {
      from.text(TokenizerMetadata.TEMPLATE).ifPresent(template -> config.put("chat_template", template));
      return config;
    }
    ArrayNode templates = config.putArray("chat_template");
    from.text(TokenizerMetadata.TEMPLATE).ifPresent(t -> templates.addObject().put("name", "default").put("template", t));
    for (String key : named) {
      templates.addObject().put("name", key.substring(TokenizerMetadata.TEMPLATE.length() + 1)).put("template", from.requiredText(key));
    }
    return config;
  }
}
