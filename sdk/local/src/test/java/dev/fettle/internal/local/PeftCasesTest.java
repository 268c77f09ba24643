package dev.fettle.internal.local;

import static dev.fettle.support.Golden.floats;
import static dev.fettle.support.Golden.ints;
import static dev.fettle.support.Golden.maxDifference;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fettle.AdamW;
import dev.fettle.Batch;
import dev.fettle.DType;
import dev.fettle.Datum;
import dev.fettle.FettleException;
import dev.fettle.Lora;
import dev.fettle.Loss;
import dev.fettle.internal.ProgressMeter;
import dev.fettle.internal.checkpoint.OpenDirectory;
import dev.fettle.internal.checkpoint.SafetensorsFile;
import dev.fettle.internal.checkpoint.SafetensorsWriter;
import dev.fettle.internal.checkpoint.StoredType;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.local.GradientsTest.Trained;
import dev.fettle.support.Golden;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Adapters as people have them, against what PEFT makes of each: loaded, saved and loaded again, tuned, merged. */
@Tag("golden")
class PeftCasesTest {
  @TempDir Path directory;

  static Stream<String> kinds() throws IOException {
    try (Stream<Path> all = Files.list(Golden.path("peft-cases"))) {
      return all.map(p -> p.getFileName().toString()).sorted().toList().stream();
    }
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void itScoresAsInPeftAlsoWhenSavedResumedAndMerged(String kind) {
    JsonNode golden = Golden.json("peft-cases/" + kind + "/golden.json");
    String model = "models/" + golden.get("model").asString();
    float[] theirs = floats(golden.get("logprobs"));
    try (Trained t = Trained.open(model, Lora.from(Golden.path("peft-cases/" + kind)))) {
      assertThat(maxDifference(scores(t.training, golden), theirs)).isLessThan(1e-4);
      t.training.saveAdapter(directory.resolve("saved")).join();
      t.training.saveState(directory.resolve("state"), Optional.empty()).join();
      t.training.saveMerged(directory.resolve("merged"), DType.F32).join();
      LocalTraining resumed = resumed(t.model);
      assertThat(maxDifference(scores(resumed, golden), theirs)).as("resumed").isLessThan(1e-4);
    }
    try (Trained again = Trained.open(model, Lora.from(directory.resolve("saved")))) {
      assertThat(maxDifference(scores(again.training, golden), theirs)).as("saved").isLessThan(1e-4);
    }
    try (Trained merged = Trained.open(directory.resolve("merged"), Lora.rank(1))) {
      assertThat(maxDifference(scores(merged.training, golden), theirs)).as("merged").isLessThan(1e-4);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"all-linear-and-biases", "dense-beside-norms", "pissa"})
  void anEncoderEmbedsAsInPeftAlsoWhenSavedAndMerged(String kind) {
    Path adapter = Golden.path("peft-encoder-cases/" + kind);
    Path model = Golden.path("encoders/mean");
    try (Trained t = Trained.open(model, Lora.from(adapter))) {
      assertEmbeds(t, kind);
      t.training.saveAdapter(directory.resolve("saved")).join();
      t.training.saveMerged(directory.resolve("merged"), DType.F32).join();
    }
    try (Trained again = Trained.open(model, Lora.from(directory.resolve("saved")))) {
      assertEmbeds(again, kind);
    }
    try (Trained merged = Trained.open(directory.resolve("merged"), Lora.rank(1))) {
      assertEmbeds(merged, kind);
    }
  }

  private static void assertEmbeds(Trained t, String kind) {
    JsonNode golden = Golden.json("peft-encoder-cases/" + kind + "/golden.json");
    List<String> texts = golden.get("texts").valueStream().map(JsonNode::asString).toList();
    List<float[]> ours = t.training.embed(texts, Optional.empty(), OptionalInt.empty(), new ProgressMeter()).join();
    for (int i = 0; i < texts.size(); i++) {
      assertThat(maxDifference(ours.get(i), floats(golden.get("vectors").get(i)))).as(texts.get(i)).isLessThan(1e-4);
    }
  }

  @Tag("once")
  @ParameterizedTest
  @ValueSource(strings = {"embeddings", "both-ways", "bias-all", "bias-lora-only", "bias-beside-saved", "experts-apart", "pissa", "olora", "pissa-dora", "tied-twice"})
  void whatIsTunedFurtherIsWhatIsSaved(String kind) {
    JsonNode golden = Golden.json("peft-cases/" + kind + "/golden.json");
    String model = "models/" + golden.get("model").asString();
    float[] tuned;
    try (Trained t = Trained.open(model, Lora.from(Golden.path("peft-cases/" + kind)))) {
      t.training.forwardBackward(Batch.of(Datum.of(ints(golden.get("tokens")))), Loss.crossEntropy()).join();
      t.training.optimStep(AdamW.learningRate(1e-2)).join();
      tuned = scores(t.training, golden);
      assertThat(maxDifference(tuned, floats(golden.get("logprobs")))).isGreaterThan(1e-2);
      t.training.saveAdapter(directory.resolve("saved")).join();
    }
    try (Trained again = Trained.open(model, Lora.from(directory.resolve("saved")))) {
      assertThat(maxDifference(scores(again.training, golden), tuned)).isLessThan(1e-4);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"bias-all", "bias-lora-only", "bias-dora", "bias-beside-saved"})
  void biasesAndCopiesAreTrainedAsInPeft(String kind) {
    JsonNode run = Golden.json("peft-cases/" + kind + "/run.json");
    try (Trained t = Trained.open("models/" + run.get("model").asString(), Lora.from(Golden.path("peft-cases/" + kind)))) {
      TrainingRunTest.follow(run, t);

      assertThat(t.training.trainable().rows()).anySatisfy(row -> assertThat(row.how()).isEqualTo("bias"));
    }
  }

  @Test
  void copiesThatAreToBeTiedAreTrainedAsOne() {
    for (String kind : List.of("tied-once", "tied-twice")) {
      try (Trained t = Trained.open("models/llama", Lora.from(Golden.path("peft-cases/" + kind)))) {
        assertThat(t.training.tuned().untied()).isFalse();
        assertThat(t.parameters().parameters()).extracting(p -> p.name()).contains("model.embed_tokens.weight")
            .doesNotContain("lm_head.weight");
      }
    }
  }

  @Test
  void anAdapterOfAResizedModelIsRefusedWithTheReason() throws IOException {
    copy("embeddings");
    rewrite(shapes -> shapes.put("base_model.model.model.embed_tokens.weight", new long[] {99, 32}));

    assertRefused("models/llama-untied", "embed_tokens.weight", "99 rows", "resize_token_embeddings(99)");
  }

  @Test
  void aPickleIsRefusedWithAdvice() throws IOException {
    copy("eva");
    Files.move(directory.resolve("adapter_model.safetensors"), directory.resolve("adapter_model.bin"));

    assertRefused("models/llama", "adapter_model.bin", "save_file", "weights_only=True");
  }

  @Test
  void aTensorThatNothingReadsIsRefusedByName() throws IOException {
    copy("eva");
    rewrite(shapes -> shapes.put("base_model.model.model.layers.0.mlp.router.weight", new long[] {2, 2}));

    assertRefused("models/llama", "layers.0.mlp.router.weight");
  }

  private void assertRefused(String model, String... parts) {
    assertThatThrownBy(() -> Trained.open(model, Lora.from(directory)).close())
        .isInstanceOf(FettleException.class).hasMessageContaining(directory.toString()).hasMessageContainingAll(parts);
  }

  private void copy(String kind) throws IOException {
    for (String name : List.of("adapter_config.json", "adapter_model.safetensors")) {
      Files.copy(Golden.path("peft-cases/" + kind + "/" + name), directory.resolve(name));
    }
  }

  /** Writes the weights of the adapter anew, as zeros of changed shapes. */
  private void rewrite(Consumer<Map<String, long[]>> change) throws IOException {
    Path file = directory.resolve("adapter_model.safetensors");
    Map<String, long[]> shapes = new LinkedHashMap<>();
    try (SafetensorsFile stored = SafetensorsFile.open(file)) {
      stored.tensors().forEach((name, t) -> shapes.put(name, t.shape()));
    }
    change.accept(shapes);
    Files.delete(file);
    SafetensorsWriter writer = new SafetensorsWriter();
    shapes.forEach((name, shape) -> writer.add(name, StoredType.F32, shape));
    writer.write(file, (t, sink) -> sink.put(ByteBuffer.allocate((int) t.bytes())));
  }

  private LocalTraining resumed(LocalModel model) {
    return EngineThread.get().call(() -> {
      try (OpenDirectory state = StateFiles.open(directory.resolve("state"))) {
        LocalTraining resumed = model.resume(state);
        StateFiles.load(state, resumed);
        return resumed;
      }
    });
  }

  private static float[] scores(LocalTraining training, JsonNode golden) {
    return training.sampler().join().logprobs(List.of(ints(golden.get("tokens")))).join().get(0);
  }
}
