package dev.fettle.internal.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fettle.FettleException;
import dev.fettle.InvalidInputException;
import dev.fettle.Tokenizer;
import dev.fettle.Tokenizers;
import dev.fettle.UnsupportedModelException;
import dev.fettle.internal.json.ArrayNode;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.json.JsonReader;
import dev.fettle.internal.json.ObjectNode;
import dev.fettle.support.Golden;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class BrokenTokenizerFilesTest {
  @TempDir
  Path directory;

  private void refused(String... parts) {
    assertThatThrownBy(() -> Tokenizers.open(directory)).isInstanceOf(InvalidInputException.class)
        .satisfies(e -> assertThat(e.getMessage()).contains(parts));
  }

  private Path write(String name, String content) throws IOException {
    return Files.writeString(directory.resolve(name), content);
  }

  @Test
  void missing() {
    refused("tokenizer.json", "missing");
    directory = directory.resolve("nowhere");
    refused("nowhere", "no such directory");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", " ", "[]", "{", "{}", "null", "{\"model\": 3}", "{\"model\": {\"vocab\": {}}}",
      "{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": -1}, \"merges\": []}}",
      "{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 99999999999}, \"merges\": []}}",
      "{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": \"b\"}, \"merges\": []}}",
      "{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 0}, \"merges\": [\"a b\"]}}",
      "{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 0}, \"merges\": []}} trailing",
      "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 7031645\n"})
  void noTokenizer(String content) throws IOException {
    write("tokenizer.json", content);
    refused(directory.resolve("tokenizer.json").toString());
  }

  @Test
  void brokenConfig() throws IOException {
    TextFixtures.small(directory, "{}");
    write("tokenizer_config.json", "{\"bos_token\": ");
    refused("tokenizer_config.json", "not JSON");
    write("tokenizer_config.json", "{\"bos_token\": \"<nothing>\"}");
    refused("bos_token", "<nothing>");
    write("tokenizer_config.json", "{}");
    write("special_tokens_map.json", "[]");
    refused("special_tokens_map.json", "not a JSON object");
  }

  @Test
  void truncationAndPaddingAreSwitchedOff() throws IOException {
    ObjectNode tree = (ObjectNode) JsonReader.STANDARD.read(Files.readString(TextFixtures.tokenizerFile()));
    tree.set("truncation", JsonReader.STANDARD.read("{\"direction\": \"Right\", \"max_length\": 4, \"strategy\":"
        + " \"LongestFirst\", \"stride\": 0}"));
    tree.set("padding", JsonReader.STANDARD.read("{\"strategy\": {\"Fixed\": 16}, \"direction\": \"Right\","
        + " \"pad_to_multiple_of\": null, \"pad_id\": 0, \"pad_type_id\": 0, \"pad_token\": \"!\"}"));
    write("tokenizer.json", tree.toString());
    Tokenizer tokenizer = Tokenizers.open(directory);

    assertThat(tokenizer.encode("a")).hasSize(1);
    assertThat(tokenizer.encode("a\n".repeat(3000))).hasSize(6000);
    assertThat(tokenizer.encode("<|im_end|>\n".repeat(600)).length).isGreaterThan(1200);
  }

  @Test
  void idsOutsideTheVocabularyAreNamed() {
    Tokenizer tokenizer = TextFixtures.small();
    for (int id : new int[] {-1, tokenizer.vocabSize()}) {
      assertThatThrownBy(() -> tokenizer.decode(0, id)).isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("token id " + id).hasMessageContaining("tokenizer.json");
      assertThatThrownBy(() -> tokenizer.token(id)).isInstanceOf(InvalidInputException.class);
    }
  }

  @Test
  void halvesOfSurrogatePairsAndZeroesAreText() {
    Tokenizer tokenizer = TextFixtures.small();
    assertThat(tokenizer.decode(tokenizer.encode("a\ud800b\udc00\0c"))).isEqualTo("a\uFFFDb\uFFFD\0c");
  }

  /** Most of these end the process inside the native library if it gets there. */
  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {
      "normalizer | {\"type\": \"Precompiled\", \"precompiled_charsmap\": \"AAAA\"}",
      "decoder | {\"type\": \"Sequence\", \"decoders\": [{\"type\": \"Strip\", \"content\": \" \", \"start\": 0,"
          + " \"stop\": 1}]}",
      "model | {\"type\": \"Nothing\", \"vocab\": {\"a\": 0}}",
      "model | {\"type\": \"BPE\", \"continuing_subword_prefix\": \"##########\", \"vocab\": {\"a\": 0, \"b\": 1},"
          + " \"merges\": [\"a b\"]}"})
  void whatTheLibraryWouldDieOf(String name, String part) throws IOException {
    ObjectNode tree = (ObjectNode) JsonReader.STANDARD.read(Files.readString(TextFixtures.tokenizerFile()));
    tree.set(name, JsonReader.STANDARD.read(part));
    write("tokenizer.json", tree.toString());
    assertThatThrownBy(() -> Tokenizers.open(directory)).isInstanceOf(FettleException.class)
        .hasMessageContaining("tokenizer.json: the " + name);
  }

  /** The library follows it wherever it leads. */
  @Test
  void randomCorruptionsOfATableOfCharacters() throws IOException {
    ObjectNode tree = (ObjectNode) JsonReader.STANDARD.read(Files.readString(Golden.path("gguf/unigram/tokenizer.json")));
    ObjectNode step = (ObjectNode) tree.path("normalizer").path("normalizers").path(0);
    byte[] good = Base64.getDecoder().decode(step.path("precompiled_charsmap").asString());
    int[] used = IntStream.range(0, good.length).filter(i -> good[i] != 0).toArray();
    Random random = new Random(3);
    int refused = 0;
    for (int round = 0; round < 400; round++) {
      byte[] bad = good.clone();
      for (int i = 0; i < 1 + round % 3; i++) {
        bad[used[random.nextInt(used.length)]] ^= (byte) (1 << random.nextInt(8));
      }
      step.put("precompiled_charsmap", Base64.getEncoder().encodeToString(bad));
      write("tokenizer.json", tree.toString());
      try {
        Tokenizers.open(directory).encode("\uff26\uff2f\uff38\u3000\ufb01anc\u00e9\te\u0301 i\u0308");
      } catch (FettleException e) {
        assertThat(e).hasMessageContaining("tokenizer.json: the normalizer has a broken precompiled_charsmap");
        refused++;
      }
    }
    assertThat(refused).isBetween(50, 399);
  }

  /** The JVM survives, and what opens also encodes or says why not. */
  @Test
  void randomCorruptionsOfTheBytes() throws IOException {
    byte[] good = Files.readAllBytes(TextFixtures.tokenizerFile());
    Random random = new Random(1);
    int refused = 0;
    for (int round = 0; round < 1000; round++) {
      byte[] bad = good.clone();
      for (int i = random.nextInt(4); i >= 0; i--) {
        bad[random.nextInt(bad.length)] = (byte) random.nextInt(256);
      }
      String text = new String(bad, 0, random.nextInt(4) == 0 ? random.nextInt(bad.length) : bad.length,
          StandardCharsets.ISO_8859_1);
      refused += survives(text.getBytes(StandardCharsets.ISO_8859_1)) ? 0 : 1;
    }
    assertThat(refused).isBetween(300, 999);
  }

  @Test
  void randomCorruptionsOfTheStructure() throws IOException {
    String good = Files.readString(TextFixtures.tokenizerFile());
    Random random = new Random(2);
    int refused = 0;
    for (int round = 0; round < 1000; round++) {
      JsonNode tree = JsonReader.STANDARD.read(good);
      for (int i = random.nextInt(3); i >= 0; i--) {
        tree = mutated(tree, random);
      }
      refused += survives(tree.toString().getBytes(StandardCharsets.UTF_8)) ? 0 : 1;
    }
    assertThat(refused).isBetween(100, 999);
  }

  private boolean survives(byte[] content) throws IOException {
    Files.write(directory.resolve("tokenizer.json"), content);
    try {
      Tokenizer tokenizer = Tokenizers.open(directory);
      for (String text : new String[] {"Hello <|im_end|> \u00e9\n\n", "", "<think>x"}) {
        tokenizer.decodeAll(tokenizer.encode(text));
      }
      return true;
    } catch (InvalidInputException | UnsupportedModelException e) {
      assertThat(e.getMessage()).contains("tokenizer.json");
      return false;
    }
  }

  /** The tree with something else, or nothing, in one place of it. */
  private static JsonNode mutated(JsonNode root, Random random) {
    List<JsonNode> containers = new ArrayList<>();
    collect(root, containers);
    JsonNode target = containers.get(random.nextInt(containers.size()));
    JsonNode other = JsonReader.STANDARD.read("[null, 7, -1, 4000000000, \"\", \"([\", true, {}, []]").get(random.nextInt(9));
    int at = random.nextInt(Math.max(1, target.size()));
    return mutated(root, target, at, random.nextInt(3) == 0 ? null : other);
  }

  private static JsonNode mutated(JsonNode node, JsonNode target, int at, JsonNode other) {
    if (!node.isContainer()) {
      return node;
    }
    ObjectNode object = new ObjectNode();
    ArrayNode array = new ArrayNode();
    List<String> names = List.copyOf(node.propertyNames());
    int place = 0;
    for (JsonNode child : node) {
      JsonNode value = node == target && place == at ? other : mutated(child, target, at, other);
      if (value != null && node.isObject()) {
        object.set(names.get(place), value);
      } else if (value != null) {
        array.add(value);
      }
      place++;
    }
    return node.isObject() ? object : array;
  }

  private static void collect(JsonNode node, List<JsonNode> into) {
    if (node.isContainer()) {
      into.add(node);
      node.forEach(child -> collect(child, into));
    }
  }
}
