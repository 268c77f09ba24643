package dev.fettle.internal.local;

import static dev.fettle.support.Golden.relativeDifference;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fettle.AdamW;
import dev.fettle.BaseModel;
import dev.fettle.DType;
import dev.fettle.Fettle;
import dev.fettle.Full;
import dev.fettle.InvalidInputException;
import dev.fettle.Lora;
import dev.fettle.Modules;
import dev.fettle.Training;
import dev.fettle.UnsupportedModelException;
import dev.fettle.internal.checkpoint.SafetensorsFile;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.json.JsonPrinter;
import dev.fettle.internal.local.GradientsTest.Trained;
import dev.fettle.ranking.RankLoss;
import dev.fettle.ranking.RankResult;
import dev.fettle.ranking.Ranked;
import dev.fettle.support.Golden;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Models that score a text for a query, against sentence-transformers' CrossEncoder, and the losses that tune them. */
@Tag("golden")
class RerankerTest {
  @TempDir
  private Path directory;

  private static List<String> texts(JsonNode golden) {
    return golden.get("texts").valueStream().map(JsonNode::asString).toList();
  }

  private static float[] scores(BaseModel model, JsonNode golden) {
    return model.score(golden.get("query").asString(), texts(golden));
  }

  @ParameterizedTest
  @ValueSource(strings = {"bert", "bert-two", "roberta", "xlm-roberta", "distilbert", "mpnet", "modernbert", "modernbert-biased",
      "qwen3", "qwen3-reranker"})
  void scoresEqualTheReference(String name) {
    JsonNode golden = Golden.json("rerankers/" + name + "/golden.json");
    float[] expected = Golden.floats(golden.get("scores"));
    try (Fettle fettle = Fettle.local()) {
      BaseModel model = fettle.load(Golden.path("rerankers/" + name), DType.F32);

      assertThat(Golden.maxDifference(scores(model, golden), expected)).isLessThan(1e-4);
      assertThat(Golden.maxDifference(scores(fettle.load(Golden.path("rerankers/" + name), DType.BF16), golden), expected))
          .isLessThan(2 * golden.get("bf16").asDouble());
      assertThat(model.score("heat", List.of())).isEmpty();
      assertThatThrownBy(() -> model.embed("a text")).isInstanceOf(UnsupportedModelException.class);
    }
  }

  static Stream<String> cases() {
    return Golden.json("rerankers/golden.json").get("cases").valueStream()
        .map(c -> c.get("model").asString() + " " + c.get("kind").asString());
  }

  /** Grades from 0 to 1. */
  private static List<Ranked> batch() {
    return RankGradientsTest.batch().stream().map(r -> Ranked.graded(r.query(), r.texts(),
        r.grades().stream().map(g -> Math.min(1, Math.max(0, g))).toList())).toList();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void gradientsEqualAutograd(String name) {
    JsonNode c = Golden.json("rerankers/golden.json").get("cases").valueStream()
        .filter(n -> name.equals(n.get("model").asString() + " " + n.get("kind").asString())).findFirst().orElseThrow();
    String model = c.get("model").asString();
    boolean lora = c.get("lora").asBoolean();
    RankLoss loss = RankGradientsTest.loss(c.get("kind").asString());
    try (Trained t = Trained.open("rerankers/" + model, lora ? Lora.from(Golden.path("rerankers/" + model + "/adapter")) : Full.all());
        SafetensorsFile golden = SafetensorsFile.open(Golden.path("rerankers/" + c.get("gradients").asString()))) {
      RankResult result = t.training.forwardBackward(batch(), loss).join();

      assertThat(result.loss()).isCloseTo(c.get("loss").asDouble(), Percentage.withPercentage(1e-2));
      assertThat(t.parameters().parameters()).hasSize(golden.tensors().size());
      for (var p : t.parameters().parameters()) {
        float[] expected = t.read(golden, (lora ? "base_model.model." : "") + p.name());
        // See RankGradientsTest.compare.
        if (!p.name().matches(".*(key|k_lin|attn\\.k)\\.bias")) {
          assertThat(relativeDifference(t.gradient(p), expected)).as(p.name()).isLessThan(1e-4);
        }
      }
    }
  }

  @Tag("once")
  @ParameterizedTest
  @ValueSource(strings = {"bert", "bert-two", "roberta", "xlm-roberta", "distilbert", "mpnet", "modernbert", "qwen3", "qwen3-reranker"})
  void whatIsTunedLearnsAndComesBack(String name) throws IOException {
    Path out = Files.createDirectories(Path.of(System.getProperty("fettle.saved", directory.toString())).resolve("rerankers"));
    List<Ranked> batch = List.of(Ranked.graded("heat", List.of("gas jets", "lift theory"), List.of(1.0, 0.0)),
        Ranked.graded("drag", List.of("the cone", "the wing", "a plate"), List.of(0.0, 1.0, 0.0)));
    JsonNode golden = Golden.json("rerankers/" + name + "/golden.json");
    try (Fettle fettle = Fettle.local()) {
      BaseModel model = fettle.load(Golden.path("rerankers/" + name), DType.F32);
      for (String kind : List.of("lora", "full")) {
        Training training = model.tune(kind.equals("lora") ? Lora.rank(4) : Full.all());
        double first = training.forward(batch, RankLoss.listNet()).loss();
        for (int i = 0; i < 12; i++) {
          training.step(batch, RankLoss.listNet(), AdamW.learningRate(5e-3));
        }
        Path merged = out.resolve(name + "-" + kind + "-merged");
        training.saveMerged(merged);
        float[] tuned = training.score(golden.get("query").asString(), texts(golden));

        assertThat(training.forward(batch, RankLoss.listNet()).loss()).isLessThan(first);
        assertThat(Golden.maxDifference(tuned, scores(model, golden))).isGreaterThan(1e-3);
        assertThat(Golden.maxDifference(scores(fettle.load(merged, DType.F32), golden), tuned)).isLessThan(1e-4);
        String adapter = "";
        if (kind.equals("lora")) {
          adapter = out.resolve(name + "-adapter").toString();
          training.saveAdapter(Path.of(adapter));
          assertThat(model.tune(Lora.from(Path.of(adapter))).score(golden.get("query").asString(), texts(golden))).containsExactly(tuned);
        }
        Files.writeString(out.resolve(name + "-" + kind + ".json"), JsonPrinter.line(Map.of("query",
            golden.get("query").asString(), "texts", texts(golden), "merged", merged.toString(), "scores", tuned, "adapter",
            adapter, "base", Golden.path("rerankers/" + name).toString())));
      }
    }
  }

  @Test
  void theHeadIsTrainedWhereItIsChosen() {
    try (Fettle fettle = Fettle.local()) {
      BaseModel model = fettle.load(Golden.path("rerankers/bert"));

      assertThat(model.tune(Full.of(Modules.named("classifier"))).trainable().trained()).isEqualTo(24 + 1);
      assertThat(model.tune(Full.all()).trainable().trained()).isEqualTo(model.parameters());
      assertThat(model.tune(Lora.rank(2).targetModules(Modules.attention().within(Modules.lastLayers(1)))).trainable().trained())
          .isEqualTo(4 * 2 * (24 + 24));
    }
  }

  @Test
  void whatDoesNotFitIsRefusedByName() throws IOException {
    try (Fettle fettle = Fettle.local()) {
      assertThatThrownBy(() -> fettle.load(Golden.path("encoders/mean")).score("a", List.of("b")))
          .isInstanceOf(UnsupportedModelException.class).hasMessageContaining("embed");
      assertThatThrownBy(() -> fettle.load(Golden.path("rerankers/bert")).tune(Lora.rank(2)).forward(
          List.of(Ranked.pair("a", "b", "c")), RankLoss.contrastive())).isInstanceOf(InvalidInputException.class);
      for (String file : List.of("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")) {
        Files.copy(Golden.path("rerankers/bert/" + file), directory.resolve(file));
      }
      Path config = directory.resolve("config.json");
      String text = Files.readString(config);
      Files.writeString(config, text.replaceAll("\"id2label\": \\{[^}]*}", "\"id2label\": {\"0\": \"a\", \"1\": \"b\", \"2\": \"c\"}"));
      assertThatThrownBy(() -> fettle.load(directory)).isInstanceOf(UnsupportedModelException.class).hasMessageContaining("id2label");
    }
  }
}
