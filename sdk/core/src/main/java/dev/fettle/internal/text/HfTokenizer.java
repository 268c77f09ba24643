package dev.fettle.internal.text;

import dev.fettle.InvalidInputException;
import dev.fettle.Tokenizer;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.template.Text;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/** A tokenizer read from {@code tokenizer.json}. */
final class HfTokenizer implements Tokenizer {
  private final TokenizerFile file;
  private final Cuts cuts;
  private final NativeTokenizer library;
  private final Map<String, Integer> ids;
  private final String[] tokens;
  private final BitSet special = new BitSet();
  private final OptionalInt bos;
  private final OptionalInt eos;
  private final boolean addsBos;
  private final TokenizerConfig config;
  private final SpecialTokens specials;
  private volatile BlindTokenizer blind;

  HfTokenizer(TokenizerFile file, TokenizerConfig config) {
    this.file = file;
    ids = new HashMap<>(file.vocab());
    file.added().forEach(added -> ids.put(added.content(), added.id()));
    int size = 0;
    for (int id : ids.values()) {
      size = Math.max(size, id + 1);
    }
    tokens = new String[size];
    ids.forEach((token, id) -> tokens[id] = token);
    file.added().stream().filter(TokenizerFile.Added::special).forEach(added -> special.set(added.id()));
    Optional<String> prefix = Optional.ofNullable(prefix(file.part("post_processor")));
    bos = named(config, "bos_token", config.bos().or(() -> prefix));
    eos = named(config, "eos_token", config.eos());
    bos.ifPresent(special::set);
    eos.ifPresent(special::set);
    addsBos = bos.isPresent() && config.addBos().orElse(prefix.isPresent());
    this.config = config;
    specials = new SpecialTokens(file.added());
    cuts = Cuts.of(file);
    library = new NativeTokenizer(file.path(), file.json(), cuts);
    int[] probe = library.encode("a");
    for (int id : probe) {
      check(id);
    }
  }

  private OptionalInt named(TokenizerConfig config, String what, Optional<String> token) {
    if (token.isEmpty()) {
      return OptionalInt.empty();
    }
    Integer id = ids.get(token.get());
    if (id == null) {
      throw new InvalidInputException(config.directory() + ": " + what + " \"" + token.get()
          + "\" is not a token of tokenizer.json: the files belong to different models");
    }
    return OptionalInt.of(id);
  }

  /** The special token that a TemplateProcessing, alone or in a Sequence, puts before a single text. */
  private static String prefix(JsonNode processor) {
    for (JsonNode inner : processor.path("processors")) {
      String found = prefix(inner);
      if (found != null) {
        return found;
      }
    }
    JsonNode first = processor.path("single").path(0).path("SpecialToken").path("id");
    return first.isString() ? first.asString() : null;
  }

  @Override
  public int[] encode(String text) {
    Objects.requireNonNull(text, "text");
    int[] result = library.encode(text);
    if (!hasSpecial(result)) {
      return result;
    }
    result = blind().encode(text);
    return hasSpecial(result) ? broken(text, result) : result;
  }

  /** Some models hold special tokens in the vocabulary itself; there the text of the token is cut in two. */
  private int[] broken(String text, int[] ids) {
    int cut = cut(text, ids);
    // What remains is the unknown token, which stands for text that the vocabulary cannot write.
    return cut < 0 ? ids : IntStream.concat(Arrays.stream(encode(text.substring(0, cut))),
        Arrays.stream(encode(text.substring(cut)))).toArray();
  }

  /** Where to cut the text of a special token in two; -1 if it has none. */
  private int cut(String text, int[] ids) {
    for (int id : ids) {
      String token = special.get(id) ? tokens[id] : null;
      boolean cuttable = token != null && file.vocab().containsKey(token) && token.codePointCount(0, token.length()) > 1;
      int at = cuttable ? text.indexOf(token) : -1;
      if (at >= 0) {
        return text.offsetByCodePoints(at, 1);
      }
    }
    return -1;
  }

  /**
   * The tokens of what a template wrote: special tokens are seen where the template wrote them, and nowhere else.
   *
   * @param trust whether they are seen everywhere
   */
  Spans encode(Text text, boolean trust) {
    List<SpecialTokens.Match> meant = specials.find(text, trust);
    if (trust || meant.equals(specials.find(text, true))) {
      return library.spans(text.chars());
    }
    return blind().encode(text.chars(), meant, this::cut);
  }

  /** The special tokens that {@link #encode(Text, boolean)} sees. */
  List<SpecialTokens.Match> specials(Text text, boolean trust) {
    return specials.find(text, trust);
  }

  TokenizerConfig config() {
    return config;
  }

  /** What the post-processor puts around a text. */
  TextFrame frame() {
    return TextFrame.between(library.whole("a", false), library.whole("a", true));
  }

  /** What the post-processor puts around two texts. */
  PairFrame pairFrame() {
    int[][] framed = library.pair("a", "b");
    return PairFrame.between(library.whole("a", false), library.whole("b", false), framed[0], framed[1]);
  }

  private BlindTokenizer blind() {
    BlindTokenizer result = blind;
    if (result == null) {
      synchronized (this) {
        result = blind;
        if (result == null) {
          result = new BlindTokenizer(file, cuts);
          blind = result;
        }
      }
    }
    return result;
  }

  private boolean hasSpecial(int[] result) {
    for (int id : result) {
      if (special.get(id)) {
        return true;
      }
    }
    return false;
  }

  @Override
  public String decode(int... ids) {
    Objects.requireNonNull(ids, "ids");
    return library.decode(Arrays.stream(ids).map(this::check).filter(id -> !special.get(id)).toArray());
  }

  @Override
  public String decodeAll(int... ids) {
    Objects.requireNonNull(ids, "ids");
    return library.decode(Arrays.stream(ids).map(this::check).toArray());
  }

  private int check(int id) {
    if (id < 0 || id >= tokens.length) {
      throw new InvalidInputException("token id " + id + " is not between 0 and " + (tokens.length - 1)
          + ", the ids of " + file.path());
    }
    return id;
  }

  @Override
  public int vocabSize() {
    return tokens.length;
  }

  @Override
  public OptionalInt bos() {
    return bos;
  }

  @Override
  public OptionalInt eos() {
    return eos;
  }

  @Override
  public boolean addsBos() {
    return addsBos;
  }

  @Override
  public OptionalInt id(String token) {
    Integer id = ids.get(Objects.requireNonNull(token, "token"));
    return id == null ? OptionalInt.empty() : OptionalInt.of(id);
  }

  @Override
  public String token(int id) {
    String token = tokens[check(id)];
    return token == null ? "" : token;
  }

  @Override
  public boolean special(int id) {
    return id >= 0 && special.get(id);
  }

  @Override
  public Optional<String> chatTemplate() {
    return config.chatTemplate();
  }

  @Override
  public String toString() {
    return "Tokenizer[" + tokens.length + " tokens]";
  }
}
