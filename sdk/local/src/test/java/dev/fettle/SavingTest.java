package dev.fettle;

import static dev.fettle.support.Golden.floats;
import static dev.fettle.support.Golden.ints;
import static dev.fettle.support.Golden.maxDifference;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fettle.internal.json.JsonNode;
import dev.fettle.support.Golden;
import dev.fettle.support.LocalFettle;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SavingTest {
  private static final AdamW OPTIMIZER = AdamW.learningRate(1e-2).weightDecay(0.1);

  @TempDir Path directory;
  @RegisterExtension final LocalFettle local = new LocalFettle();
  private final Fettle fettle = local.fettle();

  private static void steps(Training training, int from, int to) {
    for (int i = from; i < to; i++) {
      training.step(TrainingTest.batch(i, 9, 15), Loss.crossEntropy(), OPTIMIZER);
    }
  }

  private static float[] probe(Training training) {
    return training.forward(TrainingTest.batch(99, 20)).logprobs().get(0);
  }

  @Test
  void aSavedAdapterLoadsWithEqualLogprobs() {
    BaseModel base = local.golden("qwen3");
    Training training = base.tune(Lora.rank(4).alpha(16).rankPattern("up_proj", 2).alphaPattern("up_proj", 3).targetModules(Modules.attention(),
        Modules.named("up_proj").within(Modules.lastLayers(1))));
    steps(training, 0, 3);
    training.saveAdapter(directory.resolve("adapter"));

    Training loaded = base.tune(Lora.from(directory.resolve("adapter")));

    assertThat(probe(loaded)).containsExactly(probe(training));
    assertThat(loaded.trainable()).isEqualTo(training.trainable());
  }

  @ParameterizedTest
  @ValueSource(strings = {"rslora", "patterns", "attention", "regex"})
  void adaptersWrittenByPeftScoreAsInPeft(String name) {
    JsonNode golden = Golden.json("adapters/" + name + "/golden.json");
    int[] tokens = ints(golden.get("tokens"));
    Training training = local.golden(golden.get("model").asString()).tune(Lora.from(Golden.path("adapters/" + name)));

    float[] logprobs = training.sampler().logprobs(tokens);

    for (int i = 0; i < logprobs.length; i++) {
      assertThat((double) logprobs[i]).isCloseTo(logprob(floats(golden.get("logits").get(i)), tokens[i + 1]),
          org.assertj.core.data.Offset.offset(1e-4));
    }
  }

  private static double logprob(float[] logits, int token) {
    double sum = 0;
    for (float l : logits) {
      sum += Math.exp(l);
    }
    return logits[token] - Math.log(sum);
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama", "llama-untied", "llama-bias", "qwen3", "qwen3-untied-bias", "mistral"})
  void aMergedModelScoresAsBaseAndAdapter(String name) {
    Training training = local.golden(name).tune(Lora.rank(4));
    steps(training, 0, 3);
    training.saveMerged(directory.resolve("merged"));

    Sampler merged = fettle.load(directory.resolve("merged"), DType.F32).sampler();

    int[] tokens = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    assertThat(maxDifference(merged.logprobs(tokens), training.sampler().logprobs(tokens))).isLessThan(1e-4);
  }

  @Test
  void aMergedModelOfFullTrainingHasTheTrainedWeights() {
    Training training = local.golden("llama").tune(Full.all());
    steps(training, 0, 3);
    training.saveMerged(directory.resolve("merged"));

    int[] tokens = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    float[] merged = fettle.load(directory.resolve("merged"), DType.F32).sampler().logprobs(tokens);
    assertThat(merged).containsExactly(training.sampler().logprobs(tokens));
    assertThatThrownBy(() -> training.saveAdapter(directory.resolve("adapter"))).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("saveMerged");
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aResumedTrainingGivesTheSameBits(boolean lora) {
    Tuning tuning = lora ? Lora.rank(4).dropout(0.3).seed(5) : Full.all();
    Training whole = local.golden("qwen3").tune(tuning);
    steps(whole, 0, 6);
    Training first = local.golden("qwen3").tune(tuning);
    steps(first, 0, 3);
    first.saveState(directory.resolve("state"));
    first.close();

    Training resumed = fettle.resume(directory.resolve("state"));
    steps(resumed, 3, 6);

    assertThat(resumed.steps()).isEqualTo(6);
    assertThat(probe(resumed)).containsExactly(probe(whole));
  }

  @Test
  void aRunThatStopsWithinTheDataAndGoesOnFromItsPositionGivesTheSameBits() throws IOException {
    Path file = directory.resolve("train.jsonl");
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < 23; i++) {
      lines.append("{\"prompt\":\"").append("abcdefgh".substring(i % 8)).append("\",\"completion\":\"")
          .append("hgfedcba".substring((3 * i) % 7)).append(i).append("\"}\n");
    }
    Files.writeString(file, lines);
    Path model = Golden.shared("models/stories260K/hf");
    Tuning tuning = Lora.rank(2).dropout(0.2).seed(9);
    Training whole = fettle.load(model, DType.F32).tune(tuning);
    Batches batches = Dataset.jsonl(file).shuffle(3).epochs(2).batches(4, whole.renderer());
    for (Batch batch : batches) {
      whole.step(batch, Loss.crossEntropy(), OPTIMIZER);
    }

    Training first = fettle.load(model, DType.F32).tune(tuning);
    int done = 0;
    for (Batch batch : batches) {
      first.step(batch, Loss.crossEntropy(), OPTIMIZER);
      if (++done == 7) {
        first.saveState(directory.resolve("state"), batches.position());
        break;
      }
    }
    first.close();
    Training resumed = fettle.resume(directory.resolve("state"));
    Batches again = Dataset.jsonl(file).shuffle(3).epochs(2).batches(4, resumed.renderer());
    for (Batch batch : again.from(resumed.dataPosition().orElseThrow())) {
      resumed.step(batch, Loss.crossEntropy(), OPTIMIZER);
    }

    assertThat(resumed.steps()).isEqualTo(whole.steps()).isGreaterThan(10);
    whole.saveAdapter(directory.resolve("one"));
    resumed.saveAdapter(directory.resolve("two"));
    assertThat(directory.resolve("two/adapter_model.safetensors"))
        .hasSameBinaryContentAs(directory.resolve("one/adapter_model.safetensors"));
  }

  @Test
  void adaptersOfBf16ModelsAreSavedInF32() {
    Training training = fettle.load(Golden.path("models/qwen3"), DType.BF16).tune(Lora.rank(4));
    steps(training, 0, 3);
    training.saveAdapter(directory.resolve("adapter"));

    try (var file = dev.fettle.internal.checkpoint.SafetensorsFile.open(directory.resolve("adapter/adapter_model.safetensors"))) {
      assertThat(file.tensors().values()).isNotEmpty()
          .allMatch(t -> t.type() == dev.fettle.internal.checkpoint.StoredType.F32);
    }
    assertThat(probe(fettle.load(Golden.path("models/qwen3"), DType.BF16).tune(Lora.from(directory.resolve("adapter")))))
        .containsExactly(probe(training));
  }

  @Test
  void anAdapterThatIsReadKeepsItsSettingsAndTakesASeed() {
    Training trained = local.golden("qwen3").tune(Lora.rank(4).dropout(0.5));
    steps(trained, 0, 2);
    trained.saveAdapter(directory.resolve("adapter"));
    Lora lora = Lora.from(directory.resolve("adapter"));
    Training one = local.golden("qwen3").tune(lora.seed(1));
    Training two = local.golden("qwen3").tune(lora.seed(2));
    Training oneAgain = local.golden("qwen3").tune(lora.seed(1));
    steps(one, 0, 2);
    steps(two, 0, 2);
    steps(oneAgain, 0, 2);

    assertThat(probe(one)).isNotEqualTo(probe(two));
    assertThat(probe(oneAgain)).containsExactly(probe(one));
    assertThatThrownBy(() -> lora.alpha(64)).isInstanceOf(InvalidInputException.class).hasMessageContaining("alpha()");
    assertThatThrownBy(() -> lora.dropout(0)).isInstanceOf(InvalidInputException.class);
    assertThatThrownBy(() -> lora.targetModules(Modules.mlp())).isInstanceOf(InvalidInputException.class);
  }

  @Test
  void aTrainingFromRandomWeightsIsResumedToo() throws IOException {
    Path shape = Files.createDirectory(directory.resolve("shape"));
    Files.copy(Golden.path("models/llama").resolve("config.json"), shape.resolve("config.json"));
    Training whole = fettle.initialise(shape, DType.F32, 3).tune(Lora.rank(2));
    steps(whole, 0, 2);
    whole.saveState(directory.resolve("state"));

    assertThat(probe(fettle.resume(directory.resolve("state")))).containsExactly(probe(whole));
  }

  @Test
  void anAccumulatedGradientAndTheDataPositionAreResumedToo() {
    Training whole = local.golden("qwen3").tune(Lora.rank(4));
    whole.forwardBackward(TrainingTest.batch(1, 9), Loss.crossEntropy());
    DataPosition position = new DataPosition(3, 48, 0, "0123456789abcdef");
    whole.saveState(directory.resolve("state"), position);

    Training resumed = fettle.resume(directory.resolve("state"));

    assertThat(resumed.dataPosition()).isEqualTo(Optional.of(position));
    assertThat(resumed.optimStep(OPTIMIZER)).isEqualTo(whole.optimStep(OPTIMIZER));
    assertThat(probe(resumed)).containsExactly(probe(whole));
  }

  @Test
  void loadStateGoesBackAndASpoiltStateChangesNothing() throws IOException {
    Training training = local.golden("qwen3").tune(Lora.rank(4));
    steps(training, 0, 2);
    training.saveState(directory.resolve("state"));
    float[] then = probe(training);
    steps(training, 2, 4);
    float[] later = probe(training);

    Path optimizer = directory.resolve("state/optimizer.safetensors");
    byte[] whole = Files.readAllBytes(optimizer);
    Files.write(optimizer, java.util.Arrays.copyOf(whole, whole.length / 2));
    assertThatThrownBy(() -> training.loadState(directory.resolve("state"))).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("optimizer.safetensors");
    assertThat(probe(training)).containsExactly(later);

    Files.write(optimizer, whole);
    training.loadState(directory.resolve("state"));
    assertThat(probe(training)).containsExactly(then);
    assertThat(training.steps()).isEqualTo(2);
    Training other = local.golden("qwen3").tune(Lora.rank(8));
    assertThatThrownBy(() -> other.loadState(directory.resolve("state"))).isInstanceOf(InvalidInputException.class);
  }

  @Test
  void adaptersThatDoNotFitAreRefusedByName() throws IOException {
    Path adapter = directory.resolve("adapter");
    local.golden("llama").tune(Lora.rank(4)).saveAdapter(adapter);

    assertThatThrownBy(() -> local.golden("llama-headdim").tune(Lora.from(adapter))).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("adapter_model.safetensors").hasMessageContaining("self_attn");
    assertThatThrownBy(() -> local.golden("llama").tune(Lora.from(directory.resolve("nowhere"))))
        .isInstanceOf(InvalidInputException.class).hasMessageContaining("nowhere");
    Path config = adapter.resolve("adapter_config.json");
    String text = Files.readString(config);
    Files.writeString(config, text.replace("\"down_proj\"", "\"k_proj\""));
    assertThatThrownBy(() -> local.golden("llama").tune(Lora.from(adapter))).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("down_proj");
    Files.writeString(config, text.replace("\"use_dora\" : false", "\"use_dora\" : true")
        .replace("\"use_dora\":false", "\"use_dora\":true"));
    assertThatThrownBy(() -> local.golden("llama").tune(Lora.from(adapter))).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("lora_magnitude_vector is missing");
  }

  @Test
  void aDirectoryWithOtherFilesIsNotReplaced() throws IOException {
    Path home = Files.createDirectory(directory.resolve("home"));
    Files.writeString(home.resolve("thesis.txt"), "precious");
    Training training = local.golden("llama").tune(Lora.rank(4));

    assertThatThrownBy(() -> training.saveAdapter(home)).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("thesis.txt");

    assertThat(home.resolve("thesis.txt")).hasContent("precious");
  }
}
