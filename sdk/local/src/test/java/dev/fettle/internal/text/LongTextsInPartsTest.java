package dev.fettle.internal.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fettle.FettleException;
import dev.fettle.Tokenizer;
import dev.fettle.internal.json.ArrayNode;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.json.JsonPrinter;
import dev.fettle.internal.json.JsonReader;
import dev.fettle.internal.json.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LongTextsInPartsTest {
  /** What tokenizers treat in ways of their own, on either side of a place where a text may be cut. */
  private static final List<String> HOSTILE = List.of("a", "b", "The", "é", "e\u0301", "\u0301", "İ", "ſ", "ﬁ", "ﷺ",
      "ͺ", "ß", "Σ", "й", "क़", "\u093c", "好", "我们", "が", "か\u3099", "\u3099", "다", "\u1112\u1161", "ﾞ", "1", "23",
      "4567", "٣", "½", " ", " ", " ", "  ", "   ", "\n", "\n\n", "\r\n", "\t", "\u00a0", "\u0085", "\u2028",
      "\u3000", "\u200b", "\u0000", "\u001f", "\ufffd", "\ufeff", ",", ".", "\"", "'", "'s", "'RE", "，", "。", "、", "!",
      "…", "-", "_", "(", "<", ">", "▁", "▁▁", "Ġ", "\ud83d\ude00", "\ud83d", "\u200d", "\u0378", "\ue000", "¨", "x",
      "go", "on");
  private static final List<String> LETTERS = List.of("a", "T", "é", "好", "た", "だ", "다", "क़", "1", "٣");
  private static final List<String> SEPARATORS = List.of(" ", " ", " ", "\n", ",", "\"", "，", "。", "、");

  @Test
  void theSmallTokenizers() throws IOException {
    for (String path : List.of("/text/tokenizer/tokenizer.json", "/dev/fettle/fettle-tiny/tokenizer.json")) {
      try (InputStream in = LongTextsInPartsTest.class.getResourceAsStream(path)) {
        assertThat(parts(in.readAllBytes(), 400)).as(path).isGreaterThan(1200);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"tokenizers/gpt2", "tokenizers/qwen2/built-qwen2", "tokenizers/qwen2/built-qwen3",
      "models/stories260K/hf", "models/minilm-l6-v2", "models/e5-small-v2"})
  void theRealTokenizers(String path) throws IOException {
    byte[] json = Files.readAllBytes(TextFixtures.shared(path).resolve("tokenizer.json"));
    assertThat(parts(json, 400)).isGreaterThan(600);
  }

  @ParameterizedTest
  @ValueSource(strings = {
      "{'type': 'ByteLevel', 'add_prefix_space': true, 'trim_offsets': true, 'use_regex': true}",
      "{'type': 'ByteLevel', 'add_prefix_space': false, 'trim_offsets': true, 'use_regex': true}",
      "{'type': 'Sequence', 'pretokenizers': [{'type': 'Digits', 'individual_digits': true},"
          + "{'type': 'ByteLevel', 'add_prefix_space': false, 'trim_offsets': true, 'use_regex': true}]}",
      "{'type': 'Sequence', 'pretokenizers': [{'type': 'Digits', 'individual_digits': false},"
          + "{'type': 'ByteLevel', 'add_prefix_space': true, 'trim_offsets': true, 'use_regex': true}]}"})
  void splittersOfBytes(String splitter) {
    for (String normalizer : List.of("null", "{'type': 'NFC'}", "{'type': 'NFKD'}",
        "{'type': 'Sequence', 'normalizers': [{'type': 'NFKC'}, {'type': 'Lowercase'}]}")) {
      byte[] json = changed(root -> {
        root.set("normalizer", json(normalizer));
        root.set("pre_tokenizer", json(splitter));
        // The last byte of an accent that stands alone, with what comes after it.
        ((ObjectNode) root.path("model").path("vocab")).put("ģ,", 900);
        ((ArrayNode) root.path("model").path("merges")).add(new ArrayNode().add("ģ").add(","));
      });
      assertThat(parts(json, 200)).as(normalizer).isGreaterThan(600);
    }
  }

  @Test
  void eachKnownExpression() {
    for (String expression : Cuts.EXPRESSIONS) {
      byte[] json = changed(root -> {
        JsonNode split = root.path("pre_tokenizer").path("pretokenizers").path(0);
        ((ObjectNode) split.path("pattern")).put("Regex", expression);
      });
      assertThat(parts(json, 400)).as(expression).isGreaterThan(1200);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {
      "{'type': 'Metaspace', 'replacement': '▁', 'prepend_scheme': 'always', 'split': true}",
      "{'type': 'Metaspace', 'replacement': '▁', 'prepend_scheme': 'first', 'split': false}",
      "{'type': 'Metaspace', 'replacement': '▁', 'prepend_scheme': 'never', 'split': false}"})
  void marksInPlaceOfSpaces(String splitter) {
    assertThat(parts(marked("null", splitter, "▁a"), 400)).isGreaterThan(1200);
  }

  @Test
  void marksThatANormalizerWrites() {
    String mark = "{'type': 'Replace', 'pattern': {'String': ' '}, 'content': '▁'}";
    String first = "{'type': 'Prepend', 'prepend': '▁'}";
    for (String normalizer : List.of(mark, "{'type': 'Sequence', 'normalizers': [" + first + "," + mark + "]}")) {
      assertThat(parts(marked(normalizer, "null", "▁a"), 400)).as(normalizer).isGreaterThan(600);
      assertThat(parts(marked(normalizer, "null", "a▁"), 400)).as("a merge goes on into the mark").isEqualTo(400);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {
      "'content': 'go on'", "'content': 'go', 'single_word': true", "'content': ' go', 'single_word': true",
      "'content': 'go', 'rstrip': true", "'content': 'a\u00a0b', 'normalized': true", "'content': 'a,'",
      "'content': 'x¨', 'normalized': true"})
  void notWhereAnAddedTokenLooksAcross(String added) {
    assertThat(parts(with(added, "{'type': 'NFKC'}"), 400)).isEqualTo(400);
  }

  @ParameterizedTest
  @ValueSource(strings = {
      "'content': '  '", "'content': '\\n\\n'", "'content': 'go', 'lstrip': true", "'content': '<', 'rstrip': true",
      "'content': 'on', 'normalized': true", "'content': ' ', 'lstrip': true, 'rstrip': true",
      "'content': ',,', 'normalized': true"})
  void whereAddedTokensStayWhole(String added) {
    assertThat(parts(with(added, "{'type': 'NFKC'}"), 400)).isGreaterThan(1200);
  }

  @ParameterizedTest
  @ValueSource(strings = {
      "{'type': 'Split', 'pattern': {'String': ' '}, 'behavior': 'MergedWithPrevious', 'invert': false}",
      "{'type': 'Split', 'pattern': {'Regex': '\\\\w \\\\w|.'}, 'behavior': 'Isolated', 'invert': false}",
      "{'type': 'ByteLevel', 'add_prefix_space': false, 'trim_offsets': true, 'use_regex': false}"})
  void notWithASplitterThatIsNotKnown(String splitter) {
    assertThat(parts(changed(root -> root.set("pre_tokenizer", json(splitter))), 100)).isEqualTo(100);
  }

  @ParameterizedTest
  @ValueSource(strings = {
      "{'type': 'Strip', 'strip_left': true, 'strip_right': true}", "{'type': 'Prepend', 'prepend': '▁'}",
      "{'type': 'Replace', 'pattern': {'String': 'a b'}, 'content': 'c'}"})
  void notWithANormalizerThatSeesTheWholeText(String normalizer) {
    assertThat(parts(changed(root -> root.set("normalizer", json(normalizer))), 100)).isEqualTo(100);
  }

  @Test
  void aLongTextHasTheIdsOfTheWhole() {
    StringBuilder text = new StringBuilder();
    Random random = new Random(5);
    while (text.length() < 200_000) {
      text.append(any(HOSTILE, random));
    }
    TokenizerFile file = TokenizerFile.read(TextFixtures.tokenizerFile(), bytes(TextFixtures.tokenizerFile()));
    int[] whole = new NativeTokenizer(file.path(), file.json(), Cuts.of(file)).whole(text.toString(), false);
    assertThat(TextFixtures.small().encode(text.toString())).isEqualTo(whole);
  }

  @Test
  void anInterruptEndsALongText() {
    Tokenizer small = TextFixtures.small();
    String text = "How it goes on. ".repeat(100_000);
    Thread.currentThread().interrupt();
    try {
      assertThatThrownBy(() -> small.encode(text)).isInstanceOf(FettleException.class)
          .hasMessageContaining("1600000 characters").hasMessageContaining("interrupted");
      assertThat(Thread.currentThread().isInterrupted()).isTrue();
    } finally {
      Thread.interrupted();
    }
  }

  /** How many parts some texts were cut into; each text's ids are those of the whole. */
  private static int parts(byte[] json, int texts) {
    TokenizerFile file = TokenizerFile.read(Path.of("tokenizer.json"), json);
    Cuts cuts = Cuts.of(file);
    NativeTokenizer library = new NativeTokenizer(file.path(), json, cuts);
    List<String> added = file.added().stream().map(TokenizerFile.Added::content).toList();
    Random random = new Random(11);
    int parts = 0;
    for (int i = 0; i < texts; i++) {
      StringBuilder text = new StringBuilder();
      for (int k = random.nextInt(2, 40); k > 0; k--) {
        text.append(any(!added.isEmpty() && random.nextInt(15) == 0 ? added : HOSTILE, random));
        if (random.nextInt(3) == 0) {
          text.append(any(LETTERS, random)).append(any(SEPARATORS, random));
        }
      }
      String all = text.toString();
      assertThat(library.inParts(all, 1)).as(() -> shown(all)).isEqualTo(library.whole(all, false));
      for (int at = 0; at < all.length(); parts++) {
        at = cuts.resume(all, cuts.end(all, at + 1));
      }
    }
    return parts;
  }

  private static String any(List<String> some, Random random) {
    return some.get(random.nextInt(some.size()));
  }

  private static String shown(String text) {
    return Arrays.toString(text.chars()
        .mapToObj(c -> c > 32 && c < 127 ? Character.toString(c) : Integer.toHexString(c)).toArray());
  }

  private static byte[] changed(Consumer<ObjectNode> change) {
    ObjectNode root = (ObjectNode) JsonReader.STANDARD.read(bytes(TextFixtures.tokenizerFile()));
    change.accept(root);
    return JsonPrinter.utf8(root);
  }

  private static byte[] with(String added, String normalizer) {
    return changed(root -> {
      ObjectNode token = (ObjectNode) json("{" + added + "}");
      token.put("id", root.path("added_tokens").size() + root.path("model").path("vocab").size()).put("special", false);
      List.of("single_word", "lstrip", "rstrip", "normalized").forEach(flag ->
          token.put(flag, token.path(flag).asBoolean(false)));
      ((ArrayNode) root.get("added_tokens")).add(token);
      root.set("normalizer", json(normalizer));
    });
  }

  /** A tokenizer that merges two characters, where spaces are marks. */
  private static byte[] marked(String normalizer, String splitter, String merge) {
    return ("{'version': '1.0', 'added_tokens': [{'id': 0, 'content': '<unk>', 'special': true, 'single_word': false,"
        + "'lstrip': false, 'rstrip': false, 'normalized': false}], 'normalizer': " + normalizer + ", 'pre_tokenizer': "
        + splitter + ", 'post_processor': null, 'decoder': null, 'model': {'type': 'BPE', 'unk_token': '<unk>',"
        + "'fuse_unk': true, 'vocab': {'<unk>': 0, '▁': 1, 'a': 2, 'b': 3, 'T': 4, 'h': 5, 'e': 6, '▁▁': 7,"
        + "'" + merge + "': 8, 'he': 9}, 'merges': ['▁ ▁', '" + merge.charAt(0) + " " + merge.charAt(1) + "', 'h e']}}")
        .replace('\'', '"')
        .getBytes(StandardCharsets.UTF_8);
  }

  private static JsonNode json(String text) {
    return JsonReader.STANDARD.read(text.replace('\'', '"'));
  }

  private static byte[] bytes(Path file) {
    try {
      return Files.readAllBytes(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
