package dev.fettle.internal.local;

import static dev.fettle.support.Golden.relativeDifference;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fettle.BaseModel;
import dev.fettle.Fettle;
import dev.fettle.Full;
import dev.fettle.InvalidInputException;
import dev.fettle.Lora;
import dev.fettle.Training;
import dev.fettle.UnsupportedModelException;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.local.GradientsTest.Trained;
import dev.fettle.ranking.RankLoss;
import dev.fettle.ranking.RankResult;
import dev.fettle.support.Golden;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What sentence-transformers' modules make of an encoder's rows: vectors, gradients through them, and that they are saved. */
@Tag("golden")
class EncoderModulesTest {
  private static final String CASES = "cls,max,sqrt,weighted,last,several-old,several,nothing,dense,dense-default,residual";

  @TempDir
  private Path files;

  /** The encoder, with the files of a case beside it. */
  private Path directory(String name) throws IOException {
    Path out = files.resolve(name);
    Path from = Golden.path("modules/" + name);
    try (Stream<Path> all = Files.walk(from)) {
      for (Path file : all.toList()) {
        Files.copy(file, out.resolve(from.relativize(file).toString()));
      }
    }
    Path inner = Files.createDirectories(out.resolve(Golden.json("modules/" + name + "/golden.json").get("folder").asString()));
    for (String file : List.of("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")) {
      Files.copy(Golden.path("encoders/distilbert/" + file), inner.resolve(file));
    }
    if (!inner.equals(out)) {
      Files.move(out.resolve("sentence_distilbert_config.json"), inner.resolve("sentence_distilbert_config.json"));
    }
    return out;
  }

  private static void same(List<float[]> found, JsonNode golden, String what) {
    for (int i = 0; i < found.size(); i++) {
      assertThat(Golden.maxDifference(found.get(i), Golden.floats(golden.get("vectors").get(i)))).as("%s, text %d", what, i)
          .isLessThan(1e-4);
    }
  }

  @Test
  void vectorsEqualSentenceTransformersAndSavedModelsKeepTheModules() throws IOException {
    for (String name : CASES.split(",")) {
      JsonNode golden = Golden.json("modules/" + name + "/golden.json");
      List<String> texts = golden.get("texts").valueStream().map(JsonNode::asString).toList();
      Path out = Path.of(System.getProperty("fettle.saved", files.toString()));
      try (Fettle fettle = Fettle.local()) {
        BaseModel model = fettle.load(directory(name));
        same(model.embed(texts), golden, name);
        Training training = model.tune(Lora.rank(2));
        training.saveMerged(out.resolve(name + "-merged"));
        same(fettle.load(out.resolve(name + "-merged")).embed(texts), golden, name + " saved");
        training.saveAdapter(out.resolve(name + "-adapter"));
        assertThat(out.resolve(name + "-adapter/modules.json")).hasSameTextualContentAs(out.resolve(name + "-merged/modules.json"));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"max", "sqrt", "weighted", "last", "several-old", "several", "dense", "dense-default", "residual"})
  void gradientsThroughThemEqualAutograd(String name) throws IOException {
    JsonNode golden = Golden.json("modules/" + name + "/golden.json");
    try (Trained t = Trained.open(directory(name), Full.all())) {
      RankResult result = t.training.forwardBackward(RankGradientsTest.batch(), RankLoss.contrastive(0.1)).join();

      assertThat(result.loss()).isCloseTo(golden.get("loss").asDouble(), Percentage.withPercentage(1e-2));
      for (String weight : golden.get("gradients").propertyNames()) {
        var p = t.parameters().parameters().stream().filter(each -> each.name().equals(weight)).findFirst().orElseThrow();
        assertThat(relativeDifference(t.gradient(p), Golden.floats(golden.get("gradients").get(weight)))).as(weight)
            .isLessThan(1e-4);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {
      "1_Pooling/config.json|\"mean\"|\"median\"|pooling_mode",
      "1_Pooling/config.json|\"pooling_mode\": \"mean\"|\"pooling_mode_eos\": true|pooling_mode_eos",
      "modules.json|Normalize|WeightedLayerPooling|WeightedLayerPooling",
      "modules.json|2_Dense|../2_Dense|path",
      "modules.json|Pooling\"}, {|Dense\"}, {|type",
      "2_Dense/config.json|Tanh|Mish|activation_function",
      "2_Dense/config.json|\"in_features\": 24|\"in_features\": 23|in_features",
      "2_Dense/config.json|\"out_features\": 10|\"out_features\": 9|linear.weight",
      "2_Dense/config.json|{|{\"module_input_name\": \"token_embeddings\", |module_input_name"})
  void whatIsNotSupportedIsRefusedByFileAndKey(String change) throws IOException {
    String[] parts = change.split("\\|");
    Path directory = directory("dense");
    Path file = directory.resolve(parts[0]);
    String text = Files.readString(file);
    assertThat(text).contains(parts[1]);
    Files.writeString(file, text.replace(parts[1], parts[2]));
    try (Fettle fettle = Fettle.local()) {
      assertThatThrownBy(() -> fettle.load(directory))
          .isInstanceOfAny(InvalidInputException.class, UnsupportedModelException.class).hasMessageContaining(parts[3]);
    }
  }

  @Test
  void weightsInAnotherFormatAreRefusedWithAdvice() throws IOException {
    Path directory = directory("dense");
    Files.move(directory.resolve("2_Dense/model.safetensors"), directory.resolve("2_Dense/pytorch_model.bin"));
    try (Fettle fettle = Fettle.local()) {
      assertThatThrownBy(() -> fettle.load(directory)).isInstanceOf(UnsupportedModelException.class)
          .hasMessageContainingAll("2_Dense", "pytorch_model.bin", "convert");
    }
  }
}
