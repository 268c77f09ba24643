package dev.fettle.internal.local;

import static dev.fettle.support.Golden.maxDifference;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fettle.DType;
import dev.fettle.Full;
import dev.fettle.InvalidInputException;
import dev.fettle.Lora;
import dev.fettle.internal.ProgressMeter;
import dev.fettle.internal.checkpoint.ModelDirectory;
import dev.fettle.internal.checkpoint.SafetensorsFile;
import dev.fettle.internal.checkpoint.SafetensorsWriter;
import dev.fettle.internal.checkpoint.StoredTensor;
import dev.fettle.support.Golden;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The models and adapters of {@code shared/cases/README.md}; skipped where that is absent. */
class SharedCasesTest {
  private static final int[] TOKENS = {1, 403, 407, 261, 378, 400, 268, 299, 315};
  /** Of stories260K as it is, in transformers. */
  private static final float[] BASE = {-0.243744f, -0.017513f, -0.01211f, -0.000724f, -12.933632f, -5.863717f, -9.355302f,
    -5.968384f};
  private static final String ADDED = "{\"id\":512,\"content\":\"<pad>\",\"single_word\":false,\"lstrip\":false,"
      + "\"rstrip\":false,\"normalized\":false,\"special\":false}";

  @TempDir Path directory;

  @ParameterizedTest
  @ValueSource(strings = {"\"sliding_window\": 4096", "\"torch_dtype\": \"auto\"", "\"num_experts\": 8, \"logits_scaling\": 3"})
  void keysThatTransformersDoesNotReadChangeNothing(String extra) throws IOException {
    Path model = copy();
    edit(model.resolve("config.json"), json -> json.replaceFirst("\"torch_dtype\": \"float32\"", extra));

    assertScores(model, BASE);
  }

  @Test
  void aTokenWithoutARowIsRefusedWhereATextHasIt() throws IOException {
    Path model = copy();
    edit(model.resolve("tokenizer.json"), json -> json.replaceFirst("\"added_tokens\": ?\\[", "$0" + ADDED + ","));
    LocalModel loaded = load(model);
    try {
      int[] tokens = loaded.tokenizer().encode("Once<pad>");
      assertThat(tokens).contains(512);
      var sampler = loaded.sampler();
      assertThat(maxDifference(sampler.logprobs(List.of(TOKENS)).join().get(0), BASE)).isLessThan(1e-4);
      assertThatThrownBy(() -> sampler.logprobs(List.of(tokens)).join())
          .isInstanceOf(InvalidInputException.class).hasMessageContaining("= 512").hasMessageContaining("0 to 511");
    } finally {
      loaded.close();
    }
  }

  @Test
  void aTiedMatrixIsReadUnderEitherName() throws IOException {
    Path model = copy();
    Path file = model.resolve("model.safetensors");
    Path other = directory.resolve("renamed.safetensors");
    try (SafetensorsFile stored = SafetensorsFile.open(file)) {
      SafetensorsWriter writer = new SafetensorsWriter();
      UnaryOperator<String> name = n -> n.equals("model.embed_tokens.weight") ? "lm_head.weight" : n;
      stored.tensors().values().forEach(t -> writer.add(name.apply(t.name()), t.type(), t.shape()));
      writer.write(other, (t, sink) -> {
        StoredTensor from = stored.tensors().values().stream().filter(s -> name.apply(s.name()).equals(t.name())).findFirst()
            .orElseThrow();
        ByteBuffer bytes = stored.bytes(from, 0, (int) from.bytes());
        sink.put(bytes);
      });
    }
    Files.delete(file);
    Files.move(other, file);

    assertScores(model, BASE);
  }

  @Test
  void generationSettingsOfOtherProgramsAreNoReasonNotToLoad() throws IOException {
    Path model = copy();
    Files.delete(model.resolve("generation_config.json"));
    Files.copy(Golden.shared("cases/models/generation_config-top_k-minus-1.json"), model.resolve("generation_config.json"));

    assertScores(model, BASE);
  }

  @Test
  void aMergedModelHasTheFileOfASlowTokenizer() throws IOException {
    Path model = copy();
    Path slow = Golden.shared("cases/models/with-tokenizer.model/tokenizer.model");
    Files.copy(slow, model.resolve("tokenizer.model"));
    LocalModel loaded = load(model);
    try {
      loaded.tune(Full.all()).saveMerged(directory.resolve("merged"), DType.F32).join();
    } finally {
      loaded.close();
    }

    assertThat(directory.resolve("merged/tokenizer.model")).hasSameBinaryContentAs(slow);
  }

  @Test
  void oneMatrixThatModulesToSaveNamesTwiceIsOne() {
    LocalModel loaded = load(Golden.shared("models/stories260K/hf"));
    try (var training = (LocalTraining) loaded.tune(Lora.from(Golden.shared("cases/adapters/ensure-tying")))) {
      float[] expected = {-0.11386f, -0.047207f, -0.035915f, -0.000523f, -12.698868f, -6.252544f, -9.037185f, -5.116589f};
      float[] ours = training.sampler().join().logprobs(List.of(TOKENS)).join().get(0);
      assertThat(maxDifference(ours, expected)).isLessThan(1e-4);
      assertThat(training.tuned().untied()).as("tied, as ensure_weight_tying asks").isFalse();
    } finally {
      loaded.close();
    }
  }

  @Test
  void anAdapterUnderANameIsFound() {
    LocalModel loaded = load(Golden.shared("models/stories260K/hf"));
    Path named = Golden.shared("cases/adapters/named-adapter");
    try {
      assertThatThrownBy(() -> loaded.tune(Lora.from(named)))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContainingAll("adapter_config.json", named.resolve("mine").toString());
      loaded.tune(Lora.from(named.resolve("mine"))).close();
    } finally {
      loaded.close();
    }
  }

  private void assertScores(Path model, float[] expected) {
    LocalModel loaded = load(model);
    try {
      assertThat(maxDifference(loaded.sampler().logprobs(List.of(TOKENS)).join().get(0), expected)).isLessThan(1e-4);
    } finally {
      loaded.close();
    }
  }

  private static LocalModel load(Path model) {
    return EngineThread.get().call(() -> LocalModel.load(model.toString(), ModelDirectory.files(model),
        Optional.of(DType.F32), new ProgressMeter()));
  }

  private Path copy() throws IOException {
    Path to = Files.createDirectories(directory.resolve("model"));
    try (var files = Files.list(Golden.shared("models/stories260K/hf"))) {
      for (Path file : files.toList()) {
        Files.write(to.resolve(file.getFileName()), Files.readAllBytes(file));
      }
    }
    return to;
  }

  private static void edit(Path file, UnaryOperator<String> change) throws IOException {
    String before = Files.readString(file);
    String after = change.apply(before);
    assertThat(after).isNotEqualTo(before);
    Files.writeString(file, after);
  }
}
