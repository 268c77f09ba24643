package dev.fettle.internal.local;

import static dev.fettle.internal.local.ModelLogitsTest.flat;
import static dev.fettle.internal.local.ModelLogitsTest.logits;
import static dev.fettle.support.Golden.maxDifference;
import static dev.fettle.support.Golden.relativeDifference;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fettle.AdamW;
import dev.fettle.BaseModel;
import dev.fettle.Batch;
import dev.fettle.DType;
import dev.fettle.Datum;
import dev.fettle.Fettle;
import dev.fettle.FettleException;
import dev.fettle.Full;
import dev.fettle.InvalidInputException;
import dev.fettle.Lora;
import dev.fettle.Loss;
import dev.fettle.Modules;
import dev.fettle.Sample;
import dev.fettle.Sampler;
import dev.fettle.SamplingParams;
import dev.fettle.Trainable;
import dev.fettle.Training;
import dev.fettle.UnsupportedModelException;
import dev.fettle.internal.checkpoint.AdapterConfig;
import dev.fettle.internal.checkpoint.SafetensorsFile;
import dev.fettle.internal.checkpoint.SafetensorsWriter;
import dev.fettle.internal.checkpoint.StoredType;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.local.GradientsTest.Trained;
import dev.fettle.support.Golden;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Models with a mixture of experts, beside what {@link FamiliesTest} checks of them. */
@Tag("golden")
class ExpertsTest {
  private static final Path QWEN = Golden.path("families/qwen3-moe");
  private static final Path OLMOE = Golden.path("families/olmoe");
  private static final int[] TOKENS = {5, 9, 33, 2, 60, 17, 44, 8, 21, 3};

  @TempDir Path temporary;

  @Test
  void expertsThatAreOneTensorInTheFileAreTheSameModel() {
    JsonNode golden = Golden.json("families/olmoe/golden.json");

    List<float[]> logits = logits(OLMOE.resolve("stacked"), DType.F32, golden);

    for (int i = 0; i < logits.size(); i++) {
      assertThat(maxDifference(logits.get(i), flat(golden.get("logits").get(i)))).isLessThan(1e-4);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {4, 6})
  void aTensorOfAnotherNumberOfExpertsIsRefused(int count) throws IOException {
    Files.copy(OLMOE.resolve("stacked/model.safetensors"), temporary.resolve("model.safetensors"));
    Files.writeString(temporary.resolve("config.json"),
        Files.readString(OLMOE.resolve("config.json")).replace("\"num_experts\": 5", "\"num_experts\": " + count));

    try (Fettle fettle = Fettle.local()) {
      assertThatThrownBy(() -> fettle.load(temporary, DType.F32)).isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("mlp.").hasMessageContaining("[" + count + ", ");
    }
  }

  @Test
  void adaptersAreForAttentionAndRoutersUnlessModulesAreChosen() {
    try (Fettle fettle = Fettle.local(); BaseModel model = fettle.load(QWEN, DType.F32)) {
      assertThat(rows(model.tune(Lora.rank(2)))).containsExactlyInAnyOrder("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj",
          "self_attn.o_proj", "mlp.gate", "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj");
      assertThat(rows(model.tune(Lora.rank(2).dropout(0.1)))).as("PEFT drops nothing before a router")
          .containsExactlyInAnyOrder("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj");
      Lora chosen = Lora.rank(2).targetModules(Modules.named("mlp.gate"));
      assertThatThrownBy(() -> model.tune(chosen.dora())).hasMessageContaining("model.layers.0.mlp.gate");
      assertThatThrownBy(() -> model.tune(Lora.rank(2).targetModules(Modules.named("mlp.experts.3.up_proj"))))
          .isInstanceOf(InvalidInputException.class).hasMessageContaining("mlp.experts.gate_up_proj and mlp.experts.down_proj");
      Lora experts = Lora.rank(2).targetModules(Modules.experts());
      assertThat(rows(model.tune(experts))).containsExactly("mlp.experts.gate_up_proj", "mlp.experts.down_proj");
      assertThatThrownBy(() -> model.tune(experts.dora())).isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("layers.0.mlp.experts.gate_up_proj");
      assertThatThrownBy(() -> model.tune(experts.dropout(0.1))).isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("layers.0.mlp.experts.gate_up_proj");
      assertThatThrownBy(() -> model.tune(experts.pissa())).isInstanceOf(UnsupportedModelException.class)
          .hasMessageContaining("layers.0.mlp.experts.gate_up_proj");
      assertThatThrownBy(() -> model.tune(experts.plus(Full.of(Modules.named("layers.2.mlp.experts.1.up_proj")))))
          .isInstanceOf(InvalidInputException.class).hasMessageContaining("model.layers.2.mlp.experts.1.up_proj is to have an adapter");
      Training hybrid = model.tune(Lora.rank(2).plus(Full.of(Modules.named("experts.1.up_proj"))));
      assertThatThrownBy(() -> hybrid.saveAdapter(temporary.resolve("adapter"))).isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("saveMerged");
      assertThat(rows(model.tune(Full.all()))).contains("mlp.experts.*.up_proj", "mlp.gate").doesNotHaveDuplicates();
    }
  }

  private static List<String> rows(Training training) {
    return training.trainable().rows().stream().map(Trainable.Row::name).toList();
  }

  @Test
  void aSavedAdapterNamesRoutersAsPeftDoesAndIsReadBack() {
    try (Fettle fettle = Fettle.local(); BaseModel model = fettle.load(QWEN, DType.F32)) {
      Training training = model.tune(Lora.rank(2).rankPattern("gate.weight", 3));
      train(training);
      Path saved = temporary.resolve("adapter");
      training.saveAdapter(saved);
      training.saveMerged(temporary.resolve("merged"));
      float[] logprobs = training.sampler().logprobs(TOKENS);

      AdapterConfig config = AdapterConfig.parse(saved.resolve("adapter_config.json"));
      assertThat(config.extras().parameters()).containsExactly("mlp.gate.weight", "model.layers.1.mlp.gate_proj.weight",
          "model.layers.1.mlp.up_proj.weight", "model.layers.1.mlp.down_proj.weight");
      assertThat(config.targets().modules()).containsExactly("q_proj", "k_proj", "v_proj", "o_proj");
      assertThat(config.rank("model.layers.0.mlp.gate")).isEqualTo(3);
      assertThat(logprobs).isNotEqualTo(model.sampler().logprobs(TOKENS));
      assertThat(model.tune(Lora.from(saved)).sampler().logprobs(TOKENS)).isEqualTo(logprobs);
      try (BaseModel merged = fettle.load(temporary.resolve("merged"), DType.F32)) {
        assertThat(maxDifference(merged.sampler().logprobs(TOKENS), logprobs)).isLessThan(1e-4);
      }
    }
  }

  private static void train(Training training) {
    for (int i = 0; i < 3; i++) {
      training.step(Batch.of(Datum.of(TOKENS)), Loss.crossEntropy(), AdamW.learningRate(3e-2));
    }
  }

  @Test
  void adaptersOfExpertsAreSavedMergedAndSampledAsTheyAre() {
    for (DType type : DType.values()) {
      try (Fettle fettle = Fettle.local(); BaseModel model = fettle.load(QWEN, type)) {
        Training training = model.tune(Lora.rank(2).rankPattern("gate_up_proj", 3).targetModules(Modules.experts(), Modules.named("q_proj")));
        train(training);
        Path saved = temporary.resolve("adapter-" + type);
        training.saveAdapter(saved);
        training.saveState(temporary.resolve("state-" + type));
        training.saveMerged(temporary.resolve("merged-" + type));
        float[] logprobs = training.sampler().logprobs(TOKENS);

        AdapterConfig config = AdapterConfig.parse(saved.resolve("adapter_config.json"));
        assertThat(config.extras().parameters()).containsExactly("mlp.experts.gate_up_proj", "mlp.experts.down_proj");
        assertThat(config.rank("model.layers.0.mlp.experts.gate_up_proj")).isEqualTo(3);
        assertThat(logprobs).isNotEqualTo(model.sampler().logprobs(TOKENS));
        assertThat(model.tune(Lora.from(saved)).sampler().logprobs(TOKENS)).isEqualTo(logprobs);
        assertThat(fettle.resume(temporary.resolve("state-" + type)).sampler().logprobs(TOKENS)).isEqualTo(logprobs);
        try (BaseModel merged = fettle.load(temporary.resolve("merged-" + type), type)) {
          assertThat(maxDifference(merged.sampler().logprobs(TOKENS), logprobs)).isLessThan(type == DType.F32 ? 1e-4 : 0.2);
        }
        Sample sample = training.sampler().sample(TOKENS, SamplingParams.greedy().maxTokens(9).ignoringEos()).get(0);
        assertThat(own(training.sampler(), sample)).isLessThan(type == DType.F32 ? 1e-4f : 0.2f);
      }
    }
  }

  @Test
  void adaptersOfEachExpertAreReadWithThoseOfDenseLayers() throws IOException {
    Path adapter = apart("\"r\": 2, \"lora_dropout\": 0.1, \"target_modules\": [\"up_proj\", \"gate_proj\", \"down_proj\"]");
    try (Fettle fettle = Fettle.local(); BaseModel model = fettle.load(QWEN, DType.F32)) {
      Training training = model.tune(Lora.from(adapter));

      assertThat(rows(training)).containsExactlyInAnyOrder("mlp.experts.gate_up_proj", "mlp.experts.down_proj", "mlp.gate_proj", "mlp.up_proj",
          "mlp.down_proj");
      train(training);
      float[] logprobs = training.sampler().logprobs(TOKENS);
      training.saveAdapter(temporary.resolve("again"));
      assertThat(model.tune(Lora.from(temporary.resolve("again"))).sampler().logprobs(TOKENS)).isEqualTo(logprobs);
      assertThat(AdapterConfig.parse(temporary.resolve("again/adapter_config.json")).rank("model.layers.0.mlp.experts.gate_up_proj"))
          .isEqualTo(4);
    }
  }

  /** What is no adapter of all experts alike has no place in one weight of all of them. */
  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {
    "\"r\": 2, \"target_modules\": [\"up_proj\"]|mlp.experts.0.gate_proj is not adapted as",
    "\"r\": 2, \"target_modules\": \".*experts.[0-3].down_proj\"|mlp.experts.4.down_proj is not adapted as",
    "\"r\": 2, \"target_modules\": [\"down_proj\"], \"rank_pattern\": {\"3.down_proj\": 4}|mlp.experts.3.down_proj is not adapted as",
    "\"r\": 2, \"target_modules\": [\"down_proj\"], \"use_dora\": true|use_dora",
    "\"r\": 3, \"target_modules\": [\"down_proj\"]|does not have the rank that adapter_config.json gives it",
    "\"r\": 2, \"target_parameters\": [\"mlp.experts.down_proj\"], \"init_lora_weights\": \"pissa\"|nor by PEFT",
    "\"r\": 2, \"target_parameters\": [\"mlp.experts.down_proj\"], \"lora_dropout\": 0.1|lora_dropout"})
  void anAdapterOfExpertsThatIsNotOneForAllIsRefused(String settings, String message) throws IOException {
    Path adapter = apart(settings);
    try (Fettle fettle = Fettle.local(); BaseModel model = fettle.load(QWEN, DType.F32)) {
      assertThatThrownBy(() -> model.tune(Lora.from(adapter))).isInstanceOf(FettleException.class)
          .hasMessageContaining(adapter.toString()).hasMessageContaining(message);
    }
  }

  /** An adapter of rank 2 with an A and a B for each linear layer of each expert, and of the MLP of the layer that has none. */
  private Path apart(String settings) throws IOException {
    Path adapter = Files.createDirectories(temporary.resolve("apart"));
    Files.writeString(adapter.resolve("adapter_config.json"), "{\"peft_type\": \"LORA\", " + settings + "}");
    SafetensorsWriter writer = new SafetensorsWriter();
    try (SafetensorsFile model = SafetensorsFile.open(QWEN.resolve("model.safetensors"))) {
      model.tensors().forEach((name, t) -> {
        if (name.matches(".*(gate|up|down)_proj.weight")) {
          String module = "base_model.model." + name.replaceFirst("weight$", "lora_");
          writer.add(module + "A.weight", StoredType.F32, 2, t.shape()[1]);
          writer.add(module + "B.weight", StoredType.F32, t.shape()[0], 2);
        }
      });
    }
    writer.write(adapter.resolve("adapter_model.safetensors"), (t, sink) -> {
      ByteBuffer bytes = ByteBuffer.allocate((int) t.bytes()).order(ByteOrder.LITTLE_ENDIAN);
      for (int i = 0; i < t.elements(); i++) {
        bytes.putFloat((float) Math.sin(7.1 * i + t.name().length()));
      }
      sink.put(bytes.flip());
    });
    return adapter;
  }

  /** Of experts that are trained one by one, the gradients are those that they have when all are. */
  @Test
  void someExpertsAreTrainedAndOthersNot() {
    JsonNode golden = Golden.json("families/qwen3-moe/full/golden.json");
    Full some = Full.of(Modules.named("layers.0.mlp.experts.1.up_proj"), Modules.named("layers.0.mlp.experts.4.gate_proj"),
        Modules.named("experts.5.down_proj"), Modules.named("experts.5.up_proj"), Modules.named("layers.2.mlp.gate"));
    try (Trained t = Trained.open(QWEN, some); SafetensorsFile all = SafetensorsFile.open(QWEN.resolve("full/gradients.safetensors"))) {
      for (int pass = 0; pass < 2; pass++) {
        t.training.forwardBackward(GradientsTest.supervised(golden), Loss.crossEntropy()).join();
      }

      assertThat(t.parameters().parameters()).hasSize(7);
      for (var p : t.parameters().parameters()) {
        float[] once = t.read(all, p.name());
        for (int i = 0; i < once.length; i++) {
          once[i] *= 2;
        }
        assertThat(relativeDifference(t.gradient(p), once)).as(p.name()).isLessThan(1e-4);
      }
    }
  }

  /** An expert that no token goes through has a gradient of zero, whatever was in its place. */
  @Test
  void anExpertWithoutTokensHasNoGradient() {
    try (Trained t = Trained.open(OLMOE, Full.all())) {
      t.training.forwardBackward(Batch.of(Datum.of(TOKENS)), Loss.crossEntropy()).join();
      t.training.optimStep(AdamW.learningRate(1e-9)).join();
      t.training.forwardBackward(Batch.of(Datum.of(7, 7)), Loss.crossEntropy()).join();

      List<String> without = t.parameters().parameters().stream().filter(p -> p.name().contains("layers.0.mlp.experts"))
          .filter(p -> isZero(t.gradient(p))).map(ParameterVector.Parameter::name).toList();
      assertThat(without).as("one token goes through two of five experts").hasSize(9);
    }
  }

  private static boolean isZero(float... values) {
    for (float v : values) {
      if (v != 0) {
        return false;
      }
    }
    return true;
  }

  /** In bf16 rows of experts are read out of rounded matrices; what is sampled is what the model gives for the same tokens. */
  @Test
  void eightBitDecodingReadsTheExpertsRows() throws IOException {
    Files.writeString(temporary.resolve("config.json"), Files.readString(OLMOE.resolve("config.json"))
        .replace("\"hidden_size\": 24", "\"hidden_size\": 64").replace("\"intermediate_size\": 16", "\"intermediate_size\": 32"));
    try (Fettle fettle = Fettle.local(); BaseModel model = fettle.initialise(temporary, DType.BF16, 3)) {
      SamplingParams greedy = SamplingParams.greedy().maxTokens(12).ignoringEos();
      assertThat(difference(model, greedy)).isLessThan(0.02f);
      assertThat(difference(model, greedy.eightBit())).isGreaterThan(0).isLessThan(0.05f);
    }
  }

  private static float difference(BaseModel model, SamplingParams params) {
    return own(model.sampler(), model.sampler().sample(TOKENS, params).get(0));
  }

  /** Between the logprobs of sampled tokens and those that the sampler gives for all of the text. */
  private static float own(Sampler sampler, Sample sample) {
    int[] all = Arrays.copyOf(TOKENS, TOKENS.length + sample.tokens().length);
    System.arraycopy(sample.tokens(), 0, all, TOKENS.length, sample.tokens().length);
    float[] logprobs = Arrays.copyOfRange(sampler.logprobs(all), TOKENS.length - 1, all.length - 1);
    return (float) maxDifference(sample.logprobs(), logprobs);
  }
}
