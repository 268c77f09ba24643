package dev.fettle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fettle.internal.json.JsonNode;
import dev.fettle.support.Golden;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Vectors of texts against transformers' BertModel. */
@Tag("golden")
class EmbeddingTest {
  @ParameterizedTest
  @ValueSource(strings = {"mean", "cls", "mean-raw", "prefixed"})
  void vectorsEqualTransformers(String name) {
    JsonNode golden = Golden.json("encoders/" + name + "/golden.json");
    try (Fettle fettle = Fettle.local()) {
      List<float[]> vectors = fettle.load(Golden.path("encoders/" + name)).embed(texts(golden.get("texts")));

      assertThat(vectors).hasSize(8);
      for (int i = 0; i < vectors.size(); i++) {
        assertThat(Golden.maxDifference(vectors.get(i), Golden.floats(golden.get("vectors").get(i))))
            .as("text %d", i).isLessThan(1e-5);
      }
    }
  }

  /** Beside BERT: against sentence-transformers, and in bf16 against what that makes of it. */
  @ParameterizedTest
  @ValueSource(strings = {"roberta", "xlm-roberta", "distilbert", "mpnet", "modernbert", "modernbert-biased", "qwen3-embedding",
      "llama-embedding", "mistral-both", "gemma3-both"})
  void vectorsOfOtherFamiliesEqualSentenceTransformers(String name) {
    JsonNode golden = Golden.json("encoders/" + name + "/golden.json");
    try (Fettle fettle = Fettle.local()) {
      List<float[]> vectors = fettle.load(Golden.path("encoders/" + name)).embed(texts(golden.get("texts")));
      List<float[]> rough = fettle.load(Golden.path("encoders/" + name), DType.BF16).embed(texts(golden.get("texts")));

      double allowed = 2 * golden.get("bf16").valueStream().mapToDouble(JsonNode::asDouble).max().orElseThrow();
      for (int i = 0; i < vectors.size(); i++) {
        float[] expected = Golden.floats(golden.get("vectors").get(i));
        assertThat(Golden.maxDifference(vectors.get(i), expected)).as("text %d", i).isLessThan(1e-4);
        assertThat(Golden.maxDifference(rough.get(i), expected)).as("text %d in bf16", i).isLessThan(allowed);
      }
      if (!golden.get("asked").isEmpty()) {
        BaseModel model = fettle.load(Golden.path("encoders/" + name));
        List<float[]> asked = model.embed(texts(golden.get("texts")), Prompt.named("query"));
        assertThat(Golden.maxDifference(asked.get(1), Golden.floats(golden.get("asked").get(1)))).isLessThan(1e-4);
        assertThatThrownBy(model::sampler).isInstanceOf(InvalidInputException.class).hasMessageContaining("encoder");
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"mean", "cls"})
  void vectorsInBf16AreNearThoseInF32(String name) {
    JsonNode golden = Golden.json("encoders/" + name + "/golden.json");
    try (Fettle fettle = Fettle.local()) {
      List<float[]> vectors = fettle.load(Golden.path("encoders/" + name), DType.BF16).embed(texts(golden.get("texts")));

      for (int i = 0; i < vectors.size(); i++) {
        assertThat(Golden.maxDifference(vectors.get(i), Golden.floats(golden.get("vectors").get(i)))).isLessThan(0.03);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(DType.class)
  void adaptersThatChangeNothingLeaveTheVectors(DType type) {
    List<String> texts = texts(Golden.json("encoders/mean/golden.json").get("texts"));
    try (Fettle fettle = Fettle.local()) {
      BaseModel model = fettle.load(Golden.path("encoders/mean"), type);
      List<float[]> base = model.embed(texts);
      List<float[]> lora = model.tune(Lora.rank(4)).embed(texts);
      List<float[]> dora = model.tune(Lora.rank(4).dora()).embed(texts);

      for (int i = 0; i < base.size(); i++) {
        assertThat(Golden.maxDifference(lora.get(i), base.get(i))).isLessThan(1e-6);
        assertThat(Golden.maxDifference(dora.get(i), base.get(i))).isLessThan(type == DType.F32 ? 1e-6 : 0.03);
      }
    }
  }

  @Test
  void theRealMiniLmGivesItsGoldenVectors() {
    Path directory = Golden.shared("models/minilm-l6-v2");
    JsonNode sentences = Golden.json(directory.resolve("golden.json")).get("sentences");
    List<String> texts = new ArrayList<>();
    sentences.forEach(s -> texts.add(s.get("text").asString()));
    try (Fettle fettle = Fettle.local()) {
      BaseModel model = fettle.load(directory);
      List<float[]> cut = model.embed(texts, 128);
      List<float[]> whole = model.embed(texts);

      for (int i = 0; i < texts.size(); i++) {
        float[] golden = Golden.floats(sentences.get(i).get("embedding"));
        assertThat(Golden.maxDifference(cut.get(i), golden)).as(texts.get(i)).isLessThan(1e-5);
        boolean longer = sentences.get(i).get("input_ids").size() == 128;
        assertThat(Golden.maxDifference(whole.get(i), golden) > 1e-3).as(texts.get(i)).isEqualTo(longer);
      }
      assertThat(model.dtype()).isEqualTo(DType.F32);
    }
  }

  @Test
  void aVectorDoesNotDependOnWhatElseIsEmbedded() {
    JsonNode golden = Golden.json("encoders/mean/golden.json");
    try (Fettle fettle = Fettle.local()) {
      BaseModel model = fettle.load(Golden.path("encoders/mean"));
      List<String> many = new ArrayList<>();
      for (int i = 0; i < 60; i++) {
        many.addAll(texts(golden.get("texts")));
      }
      List<float[]> forwards = model.embed(many);
      Collections.reverse(many);
      List<float[]> backwards = model.embed(many);

      for (int i = 0; i < many.size(); i++) {
        float[] alone = Golden.floats(golden.get("vectors").get(i % 8));
        assertThat(Golden.maxDifference(forwards.get(i), alone)).isLessThan(1e-5);
        assertThat(Golden.maxDifference(backwards.get(many.size() - 1 - i), alone)).isLessThan(1e-5);
      }
      assertThat(model.embed(many).toArray(float[][]::new)).isDeepEqualTo(backwards.toArray(float[][]::new));
      assertThat(model.embed(List.of())).isEmpty();
    }
  }

  @Tag("once")
  @Test
  void whatIsNoEncoderOrAnotherKindIsRefusedByName(@TempDir Path directory) throws Exception {
    try (Fettle fettle = Fettle.local()) {
      assertThatThrownBy(() -> fettle.load("fettle-tiny").embed("a text"))
          .isInstanceOf(UnsupportedModelException.class).hasMessageContaining("causal").hasMessageContaining("bert");
      BaseModel encoder = fettle.load(Golden.path("encoders/mean"));
      assertThatThrownBy(encoder::sampler).isInstanceOf(InvalidInputException.class).hasMessageContaining("encoder");
      assertThatThrownBy(() -> encoder.embed(List.of("a"), 41)).isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("40");
      assertThatThrownBy(() -> encoder.embed(List.of("a"), 1)).isInstanceOf(InvalidInputException.class);
      for (String[] change : new String[][] {{"absolute", "relative_key"}, {"\"gelu\"", "\"relu\""},
          {"\"bert\"", "\"albert\""}, {"\"bert\"", "\"nomic_bert\""}}) {
        copy(Golden.path("encoders/mean"), directory);
        Path config = directory.resolve("config.json");
        String text = Files.readString(config);
        String changed = change[0].equals("absolute") ? text.replaceFirst("\\{", "{\"position_embedding_type\": \"relative_key\",")
            : text.replace(change[0], change[1]);
        assertThat(changed).isNotEqualTo(text);
        Files.writeString(config, changed);
        assertThatThrownBy(() -> fettle.load(directory)).isInstanceOf(UnsupportedModelException.class)
            .hasMessageContaining(change[1].replace("\"", ""));
      }
      copy(Golden.path("encoders/cls"), directory);
      Files.createDirectories(directory.resolve("1_Pooling"));
      Files.writeString(directory.resolve("1_Pooling/config.json"), "{\"pooling_mode_eos_tokens\": true}");
      assertThatThrownBy(() -> fettle.load(directory)).isInstanceOf(UnsupportedModelException.class)
          .hasMessageContaining("eos");
    }
  }

  private static void copy(Path from, Path into) throws Exception {
    try (var files = Files.list(from)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Files.write(into.resolve(file.getFileName()), Files.readAllBytes(file));
      }
    }
  }

  static List<String> texts(JsonNode array) {
    List<String> texts = new ArrayList<>();
    array.forEach(t -> texts.add(t.asString()));
    return texts;
  }
}
