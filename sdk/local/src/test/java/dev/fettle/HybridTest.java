package dev.fettle;

import static dev.fettle.support.Golden.maxDifference;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fettle.internal.checkpoint.SafetensorsFile;
import dev.fettle.support.Golden;
import dev.fettle.support.LocalFettle;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Adapters beside weights trained in full, and parts of models, from the outside. */
@Tag("golden")
class HybridTest {
  private static final AdamW OPTIMIZER = AdamW.learningRate(1e-2).weightDecay(0.1).clipNorm(1);
  private static final int[] TOKENS = {1, 2, 3, 4, 5, 6, 7, 8, 9};

  @TempDir Path directory;
  @RegisterExtension final LocalFettle local = new LocalFettle();
  private final Fettle fettle = local.fettle();

  private static void steps(Training training, int from, int to) {
    for (int i = from; i < to; i++) {
      training.step(TrainingTest.batch(i, 9, 15), Loss.crossEntropy(), OPTIMIZER);
    }
  }

  static List<Tuning> tunings() {
    return List.of(
        Full.of(Modules.lastLayers(1), Modules.lmHead()).weightDecay(0),
        Full.of(Modules.embeddings()).learningRateFactor(0.5),
        Full.of(Modules.lmHead()),
        Full.of(Modules.named("k_proj"), Modules.named("up_proj"), Modules.norms()),
        Full.all().learningRateFactor(0.1),
        Lora.rank(4).plus(Full.of(Modules.lastLayers(1), Modules.lmHead()).learningRateFactor(0.1)),
        Lora.rank(4).targetModules(Modules.named("q_proj")).learningRateRatio(4)
            .plus(Full.of(Modules.named("v_proj")).learningRate(1e-3)).plus(Full.of(Modules.norms()).weightDecay(0)),
        Lora.rank(4).dora().plus(Full.of(Modules.embeddings())),
        Lora.rank(4).pissa(), Lora.rank(4).bias(), Lora.rank(4).dora().rankStabilized(),
        Lora.rank(4).targetModules(Modules.lmHead(), Modules.embeddings(), Modules.attention()));
  }

  @ParameterizedTest
  @MethodSource("tunings")
  void aTrainingOfAnyKindIsResumedToTheSameBits(Tuning tuning) {
    for (String name : new String[] {"qwen3", "llama-untied"}) {
      Path state = directory.resolve("state-" + name);
      Training whole = local.golden(name).tune(tuning);
      steps(whole, 0, 5);
      Training first = local.golden(name).tune(tuning);
      steps(first, 0, 2);
      first.forwardBackward(TrainingTest.batch(2, 9, 15), Loss.crossEntropy());
      first.saveState(state);
      first.close();

      Training resumed = fettle.resume(state);
      resumed.optimStep(OPTIMIZER);
      steps(resumed, 3, 5);

      assertThat(resumed.sampler().logprobs(TOKENS)).containsExactly(whole.sampler().logprobs(TOKENS));
      assertThat(resumed.trainable()).isEqualTo(whole.trainable());
      whole.loadState(state);
      whole.optimStep(OPTIMIZER);
      steps(whole, 3, 5);
      assertThat(whole.sampler().logprobs(TOKENS)).containsExactly(resumed.sampler().logprobs(TOKENS));
      resumed.saveState(directory.resolve("again-" + name));
      assertThat(fettle.resume(directory.resolve("again-" + name)).sampler().logprobs(TOKENS))
          .containsExactly(resumed.sampler().logprobs(TOKENS));
    }
  }

  @ParameterizedTest
  @MethodSource("tunings")
  void aMergedModelScoresAsTheTraining(Tuning tuning) {
    for (String name : new String[] {"qwen3", "llama-bias"}) {
      Training training = local.golden(name).tune(tuning);
      float[] before = training.sampler().logprobs(TOKENS);
      steps(training, 0, 3);
      float[] after = training.sampler().logprobs(TOKENS);
      assertThat(maxDifference(after, before)).isGreaterThan(1e-3);
      Path merged = directory.resolve("merged-" + name);
      if (name.equals("qwen3") && tuning instanceof Lora lora && lora.hasBias()) {
        assertThatThrownBy(() -> training.saveMerged(merged)).isInstanceOf(InvalidInputException.class)
            .hasMessageContaining("no biases").hasMessageContaining("saveAdapter");
        continue;
      }

      training.saveMerged(merged);

      assertThat(maxDifference(fettle.load(merged, DType.F32).sampler().logprobs(TOKENS), after)).isLessThan(1e-4);
    }
  }

  @Tag("once")
  @ParameterizedTest
  @MethodSource("tunings")
  void aSavedAdapterScoresAsTheTraining(Tuning tuning) {
    Training training = local.golden("qwen3").tune(tuning);
    steps(training, 0, 3);
    Path adapter = directory.resolve("adapter");
    if (tuning instanceof Full) {
      assertThatThrownBy(() -> training.saveAdapter(adapter)).isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("saveMerged");
      return;
    }

    training.saveAdapter(adapter);

    float[] loaded = local.golden("qwen3").tune(Lora.from(adapter)).sampler().logprobs(TOKENS);
    assertThat(maxDifference(loaded, training.sampler().logprobs(TOKENS))).isLessThan(1e-5);
  }

  @Tag("once")
  @Test
  void theHeadAloneOfATiedModelIsUntiedWhichIsSaidAndSaved() throws IOException {
    Training training = local.golden("llama").tune(Full.of(Modules.lmHead()));
    float[] before = training.sampler().logprobs(TOKENS);
    assertThat(before).containsExactly(local.golden("llama").sampler().logprobs(TOKENS));
    assertThat(training.trainable()).hasToString(training.trainable().toString()).asString().contains("lm_head now untied");
    assertThat(training.trainable().table()).contains("now untied");
    steps(training, 0, 3);
    training.saveMerged(directory.resolve("merged"));

    assertThat(Files.readString(directory.resolve("merged/config.json"))).contains("\"tie_word_embeddings\" : false");
    try (SafetensorsFile file = SafetensorsFile.open(directory.resolve("merged/model.safetensors"))) {
      assertThat(file.tensors()).containsKeys("lm_head.weight", "model.embed_tokens.weight");
    }
    assertThat(fettle.load(directory.resolve("merged"), DType.F32).sampler().logprobs(TOKENS))
        .containsExactly(training.sampler().logprobs(TOKENS));
    assertThat(local.golden("llama").tune(Full.of(Modules.lmHead(), Modules.embeddings())).trainable()).asString()
        .doesNotContain("untied");
  }

  @Tag("once")
  @Test
  void aHybridsAdapterHasTheKeysOfPeft() throws IOException {
    Training training = local.golden("llama").tune(Lora.rank(4).targetModules(Modules.attention())
        .plus(Full.of(Modules.embeddings(), Modules.mlp().within(Modules.lastLayers(1)))));
    training.saveAdapter(directory.resolve("adapter"));

    assertThat(Files.readString(directory.resolve("adapter/adapter_config.json"))).contains("modules_to_save",
        "\"model.embed_tokens\"", "\"lm_head\"", "\"model.layers.2.mlp.up_proj\"");
    try (SafetensorsFile file = SafetensorsFile.open(directory.resolve("adapter/adapter_model.safetensors"))) {
      assertThat(file.tensors()).containsKeys("base_model.model.model.embed_tokens.weight", "base_model.model.lm_head.weight",
          "base_model.model.model.layers.2.mlp.down_proj.weight", "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight");
    }
  }

  @Tag("once")
  @Test
  void adaptersLeaveAloneWhatIsTrainedInFull() {
    Training training = local.golden("llama").tune(Lora.rank(4).plus(Full.of(Modules.lastLayers(2), Modules.lmHead())));

    Map<String, Integer> modules = new java.util.TreeMap<>();
    training.trainable().rows().forEach(r -> modules.put(r.name() + ": " + r.how(), r.modules()));
    assertThat(modules).containsEntry("self_attn.q_proj: LoRA, rank 4", 1).containsEntry("self_attn.q_proj: full", 2)
        .containsEntry("lm_head: full, now untied", 1).doesNotContainKey("norm: full");
  }

  @Tag("once")
  @Test
  void frozenWeightsDoNotMoveAndTrainedOnesDo() throws IOException {
    Training training = local.golden("llama-bias").tune(Full.of(Modules.named("k_proj"), Modules.named("layers.1.mlp.up_proj")));
    steps(training, 0, 2);
    training.saveMerged(directory.resolve("merged"), DType.F32);

    try (SafetensorsFile before = SafetensorsFile.open(Golden.path("models/llama-bias/model.safetensors"));
        SafetensorsFile after = SafetensorsFile.open(directory.resolve("merged/model.safetensors"))) {
      for (String name : before.tensors().keySet()) {
        boolean same = before.bytes(before.tensors().get(name), 0, (int) before.tensors().get(name).bytes())
            .equals(after.bytes(after.tensors().get(name), 0, (int) after.tensors().get(name).bytes()));
        assertThat(same).as(name).isEqualTo(!name.contains("k_proj") && !name.contains("layers.1.mlp.up_proj"));
      }
    }
  }

  @Tag("once")
  @ParameterizedTest
  @ValueSource(strings = {"F32", "BF16"})
  void partsInBf16KeepMastersInF32(String type) {
    BaseModel base = fettle.load(Golden.path("models/llama"), DType.valueOf(type));
    Training training = base.tune(Lora.rank(2).plus(Full.of(Modules.lastLayers(1), Modules.lmHead())));
    float[] before = training.sampler().logprobs(TOKENS);
    // Each step is below the resolution of bf16: only a sum that is kept in more than bf16 moves in the end.
    for (int i = 0; i < 60; i++) {
      training.step(TrainingTest.batch(0, 15), Loss.crossEntropy(), AdamW.learningRate(1e-4));
    }

    assertThat(maxDifference(training.sampler().logprobs(TOKENS), before)).isGreaterThan(5e-3);
  }

  @Tag("once")
  @Test
  void whatCannotBeTrainedIsRefusedBeforeAnyStep() {
    BaseModel llama = local.golden("llama");
    refused(llama, Full.of(Modules.named("nothing_like_it")), "named(nothing_like_it)", "names nothing");
    refused(llama, Full.of(Modules.lmHead(), Modules.layers(7, 9)), "layers(7, 9)", "3 layers");
    refused(llama, Lora.rank(4).targetModules(Modules.named("q_proj")).plus(Full.of(Modules.attention())), "q_proj", "adapter", "in full");
    refused(llama, Lora.rank(4).targetModules(Modules.lmHead()).plus(Full.of(Modules.lmHead())), "lm_head");
    refused(llama, Lora.rank(4).plus(Full.all().learningRate(1e-3)), "nothing is left for adapters");
    refused(llama, Lora.rank(4).plus(Full.of(Modules.norms())).plus(Full.of(Modules.named("model.norm"))), "model.norm", "two parts");
    refused(llama, Lora.rank(4).plus(Full.of(Modules.embeddings())).plus(Full.of(Modules.lmHead())), "two parts", "input and output");
    refused(llama, Lora.rank(4).dora().pissa(), "exclude each other");
    refused(llama, Lora.rank(4).dora().targetModules(Modules.lmHead()), "dora()", "linear layers");
    refused(llama, Lora.rank(4).pissa().dropout(0.1), "pissa()", "dropout");
    refused(llama, Lora.rank(33).pissa(), "rank 33", "singular values");
    assertThatThrownBy(() -> Full.of(Modules.lmHead()).learningRateFactor(0)).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("left out");
    assertThatThrownBy(() -> Lora.rank(4).learningRateRatio(0)).isInstanceOf(InvalidInputException.class);
    assertThatThrownBy(Full::of).isInstanceOf(InvalidInputException.class).hasMessageContaining("Full.all()");
    Training extreme = llama.tune(Full.of(Modules.norms()).learningRateFactor(1e6));
    extreme.forwardBackward(TrainingTest.batch(0, 9), Loss.crossEntropy());
    assertThatThrownBy(() -> extreme.optimStep(AdamW.learningRate(10))).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("learningRate");
    assertThat(extreme.steps()).isZero();
  }

  private static void refused(BaseModel model, Tuning tuning, String... said) {
    assertThatThrownBy(() -> model.tune(tuning)).as(tuning.toString()).isInstanceOf(InvalidInputException.class)
        .hasMessageContainingAll(said);
  }

  @Tag("once")
  @Test
  void theBaseModelIsReadAgainWhenItIsWantedBesideAFullTraining() {
    BaseModel base = local.golden("llama");
    float[] before = base.sampler().logprobs(TOKENS);
    BaseModel other = local.golden("llama");
    Training full = other.tune(Full.all());
    steps(full, 0, 2);

    assertThat(other.sampler().logprobs(TOKENS)).containsExactly(before);
    Training lora = other.tune(Lora.rank(2));
    assertThat(lora.sampler().logprobs(TOKENS)).containsExactly(before);
    assertThat(full.sampler().logprobs(TOKENS)).isNotEqualTo(before);
  }

  @Tag("once")
  @ParameterizedTest
  @MethodSource("tunings")
  void tuningsPrintThemselvesOnOneShortLine(Tuning tuning) {
    assertThat(tuning.toString()).hasSizeLessThanOrEqualTo(80).doesNotContain("<", ">", "\n");
  }
}
