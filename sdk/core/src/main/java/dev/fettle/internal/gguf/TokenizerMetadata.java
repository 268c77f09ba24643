package dev.fettle.internal.gguf;

import dev.fettle.Tokenizer;
import dev.fettle.UnsupportedModelException;
import dev.fettle.internal.checkpoint.OpenDirectory;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.text.TextFrame;
import dev.fettle.internal.text.TokenizerContents;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Puts a tokenizer and its chat templates into a GGUF's metadata. */
public final class TokenizerMetadata {
  static final String MODEL = "tokenizer.ggml.model";
  /** What {@link #MODEL} is where there is no tokenizer. */
  static final String NONE = "none";
  static final String PRE = "tokenizer.ggml.pre";
  static final String TOKENS = "tokenizer.ggml.tokens";
  static final String TYPES = "tokenizer.ggml.token_type";
  static final String SCORES = "tokenizer.ggml.scores";
  static final String MERGES = "tokenizer.ggml.merges";
  static final String BOS = "tokenizer.ggml.bos_token_id";
  static final String EOS = "tokenizer.ggml.eos_token_id";
  static final String EOT = "tokenizer.ggml.eot_token_id";
  static final String EOM = "tokenizer.ggml.eom_token_id";
  static final String UNKNOWN = "tokenizer.ggml.unknown_token_id";
  static final String PADDING = "tokenizer.ggml.padding_token_id";
  static final String ADDS_BOS = "tokenizer.ggml.add_bos_token";
  static final String ADDS_EOS = "tokenizer.ggml.add_eos_token";
  static final String SPACE = "tokenizer.ggml.add_space_prefix";
  static final String MERGES_SPACES = "tokenizer.ggml.remove_extra_whitespaces";
  static final String TABLE = "tokenizer.ggml.precompiled_charsmap";
  static final String TEMPLATE = "tokenizer.chat_template";
  private static final String TEMPLATES = "tokenizer.chat_templates";
  private static final String USUAL = "default";
  /** What sentencepiece writes for a space. */
  static final String SPACE_SIGN = "\u2581";

  private static final Logger LOG = LoggerFactory.getLogger(TokenizerMetadata.class);

  private final TokenizerContents from;
  private final Tokenizer tokenizer;
  private final Metadata into;
  private final String[] tokens;
  private final TokenType[] types;

  private TokenizerMetadata(TokenizerContents from, Tokenizer tokenizer, int rows, Metadata into) {
    this.from = from;
    this.tokenizer = tokenizer;
    this.into = into;
    this.tokens = new String[rows];
    this.types = new TokenType[rows];
  }

  /**
   * Writes the tokenizer of a model's files; that there is none, where there is none.
   *
   * @param rows of the embedding: as many tokens as llama.cpp must find
   * @param ends ids that end a text or a turn
   * @throws UnsupportedModelException if llama.cpp has no such tokenizer; names what it lacks
   */
  public static void put(OpenDirectory files, Tokenizer tokenizer, int rows, Collection<Integer> ends, Metadata into) {
    Optional<TokenizerContents> contents = TokenizerContents.read(files);
    if (contents.isEmpty()) {
      LOG.warn("{}: {} has no tokenizer.json, so this file has no tokenizer and works on token ids only", into.source(), files.path());
      into.put(MODEL, NONE);
      return;
    }
    TokenizerContents from = contents.get();
    TokenizerMetadata writer = new TokenizerMetadata(from, tokenizer, rows, into);
    if (tokenizer.vocabSize() > rows) {
      throw new UnsupportedModelException(from.path() + ": has " + tokenizer.vocabSize() + " tokens and the model rows for " + rows
          + ": llama.cpp needs a row for each token");
    }
    writer.collect();
    writer.model();
    writer.ids(List.copyOf(ends));
    writer.templates();
  }

  private void collect() {
    Arrays.fill(types, TokenType.UNUSED);
    from.vocabulary().forEach((token, id) -> {
      tokens[id] = token;
      types[id] = TokenType.NORMAL;
    });
    for (TokenizerContents.Added added : from.added()) {
      tokens[added.id()] = added.content();
      types[added.id()] = added.special() ? TokenType.CONTROL : TokenType.USER_DEFINED;
    }
    for (int id = 0; id < tokens.length; id++) {
      tokens[id] = tokens[id] == null ? "[PAD" + id + "]" : tokens[id];
    }
  }

  private void model() {
    JsonNode model = from.part("model");
    String type = model.path("type").asString("BPE");
    boolean bytes = model.path("byte_fallback").asBoolean(false);
    if (type.equals("BPE") && bytes) {
      sentencePiece(model);
    } else if (type.equals("BPE")) {
      bytePairs(model);
    } else if (type.equals("Unigram")) {
      unigram(bytes);
    } else {
      throw unknown("a tokenizer of the kind " + type + ": its model must be BPE or Unigram");
    }
    into.put(TOKENS, tokens);
    into.put(TYPES, Arrays.stream(types).mapToLong(TokenType::id).toArray());
  }

  private UnsupportedModelException unknown(String what) {
    return new UnsupportedModelException(from.path() + ": " + what + "; llama.cpp would cut texts otherwise");
  }

  private void bytePairs(JsonNode model) {
    JsonNode normalizer = from.part("normalizer");
    String form = normalizer.path("type").asString("");
    // llama.cpp leaves texts as they are, which for almost all is what NFC does.
    if (!form.isEmpty() && !form.equals("NFC")) {
      throw unknown("the normalizer " + form);
    }
    JsonNode cut = from.part("pre_tokenizer");
    String pre = PreTokenizers.name(cut, model.path("ignore_merges").asBoolean(false)).orElseThrow(() ->
        unknown("its pre_tokenizer is none of those that are known by llama.cpp's names: " + String.join(", ", PreTokenizers.names())));
    into.put(MODEL, "gpt2");
    into.put(PRE, pre);
    into.put(MERGES, from.merges().stream().map(m -> m.left() + " " + m.right()).toArray(String[]::new));
  }

  private void sentencePiece(JsonNode model) {
    SentencePieces pieces = new SentencePieces(from, tokens, types);
    pieces.firstDifference().ifPresent(what -> LOG.warn("{}: {}: llama.cpp may cut some words otherwise", from.path(), what));
    into.put(MODEL, "llama");
    into.put(PRE, "default");
    into.put(SPACE, pieces.addsSpace());
    String unknown = model.path("unk_token").asString("");
    Integer id = from.vocabulary().get(unknown);
    if (id != null) {
      types[id] = TokenType.UNKNOWN;
      into.put(UNKNOWN, (long) id);
    }
    into.put(SCORES, pieces.scores());
  }

  private void unigram(boolean bytes) {
    if (bytes) {
      SentencePieces.markBytes(tokens, types);
    }
    UnigramPieces pieces = new UnigramPieces(from);
    pieces.differences().forEach(what -> LOG.warn("{}: in llama.cpp {}", from.path(), what));
    pieces.put(into, tokens, types);
  }

  private void ids(List<Integer> ends) {
    tokenizer.bos().ifPresent(id -> into.put(BOS, (long) id));
    int eos = tokenizer.eos().orElse(ends.isEmpty() ? -1 : ends.get(0));
    if (eos >= 0) {
      into.put(EOS, (long) eos);
    }
    int[] others = ends.stream().mapToInt(id -> id).filter(id -> id != eos && id < tokens.length).distinct().sorted().toArray();
    for (int i = 0; i < Math.min(2, others.length); i++) {
      into.put(i == 0 ? EOT : EOM, (long) others[i]);
    }
    if (others.length > 2) {
      LOG.warn("{}: of the {} ids that end a text or a turn, a GGUF has a place for three; the others are left out", into.source(),
          others.length + 1);
    }
    String padding = from.named().get("pad_token");
    if (padding != null) {
      tokenizer.id(padding).ifPresent(id -> into.put(PADDING, (long) id));
    }
    into.put(ADDS_BOS, tokenizer.addsBos());
    into.put(ADDS_EOS, IntStream.of(TextFrame.of(tokenizer).after()).anyMatch(id -> id == eos));
  }

  private void templates() {
    String usual = from.templates().get(USUAL);
    if (usual != null) {
      into.put(TEMPLATE, usual);
    }
    String[] others = from.templates().keySet().stream().filter(name -> !name.equals(USUAL)).toArray(String[]::new);
    for (String name : others) {
      into.put(TEMPLATE + "." + name, from.templates().get(name));
    }
    if (others.length > 0) {
      into.put(TEMPLATES, others);
    }
  }
}
