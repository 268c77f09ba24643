package dev.fettle.internal.text;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fettle.Tokenizer;
import dev.fettle.Tokenizers;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.json.JsonReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TokenizerIdsEqualTransformersTest {
  @Test
  void bySmallTokenizer() {
    equalsGolden("small", TextFixtures.small());
  }

  @ParameterizedTest
  @CsvSource({"qwen3, tokenizers/qwen2/built-qwen3", "gpt2, tokenizers/gpt2", "stories260K, models/stories260K/hf"})
  void byRealTokenizers(String name, String path) {
    equalsGolden(name, Tokenizers.open(TextFixtures.shared(path)));
  }

  @ParameterizedTest
  @CsvSource({"qwen2/built-qwen2.5, qwen2/golden/qwen2_5_multilingual.json",
      "gpt2, gpt2/golden/gpt2_multilingual.json"})
  void inManyLanguages(String tokenizer, String golden) throws IOException {
    Map<String, String> texts = new HashMap<>();
    JsonReader.STANDARD.read(Files.readString(TextFixtures.shared("tokenizers/qwen2/golden/multilingual_inputs.json")))
        .forEach(node -> texts.put(node.get("id").asString(), node.get("text").asString()));
    Tokenizer real = Tokenizers.open(TextFixtures.shared("tokenizers/" + tokenizer));
    JsonNode entries = JsonReader.STANDARD.read(Files.readString(TextFixtures.shared("tokenizers/" + golden)))
        .get("entries");
    assertThat(entries.size()).isGreaterThan(80);
    for (JsonNode entry : entries) {
      assertThat(real.encode(texts.get(entry.get("id").asString()))).as(entry.get("id").asString())
          .isEqualTo(TextFixtures.ids(entry.get("input_ids")));
    }
  }

  @Test
  void greedyPromptOfStories260KWithItsBos() throws IOException {
    Path model = TextFixtures.shared("models/stories260K");
    Tokenizer tokenizer = Tokenizers.open(model.resolve("hf"));
    JsonNode greedy = JsonReader.STANDARD.read(Files.readString(model.resolve("golden.json"))).get("greedy");
    assertThat(tokenizer.addsBos()).isTrue();
    assertThat(tokenizer.bos()).hasValue(1);
    assertThat(tokenizer.eos()).hasValue(2);
    for (JsonNode node : greedy) {
      int[] ids = IntStream.concat(IntStream.of(tokenizer.bos().orElseThrow()),
          IntStream.of(tokenizer.encode(node.get("prompt").asString()))).toArray();
      assertThat(ids).isEqualTo(TextFixtures.ids(node.get("prompt_ids")));
    }
  }

  private static void equalsGolden(String name, Tokenizer tokenizer) {
    for (JsonNode node : TextFixtures.json("encoded.json").get(name)) {
      int[] ids = tokenizer.encode(node.get("text").asString());
      assertThat(ids).as(node.toString()).isEqualTo(TextFixtures.ids(node.get("ids")));
      assertThat(tokenizer.decode(ids)).isEqualTo(node.get("decoded").asString());
    }
  }
}
