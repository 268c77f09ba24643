package dev.fettle.internal.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fettle.AdamW;
import dev.fettle.BaseModel;
import dev.fettle.Batch;
import dev.fettle.DType;
import dev.fettle.Datum;
import dev.fettle.Fettle;
import dev.fettle.Full;
import dev.fettle.InvalidInputException;
import dev.fettle.Lora;
import dev.fettle.Loss;
import dev.fettle.Modules;
import dev.fettle.Sample;
import dev.fettle.Sampler;
import dev.fettle.SamplingParams;
import dev.fettle.Training;
import dev.fettle.Tuning;
import dev.fettle.internal.local.GradientsTest.Trained;
import dev.fettle.internal.model.LayerConfig;
import dev.fettle.internal.model.LayerNumbers;
import dev.fettle.internal.model.ModelConfig;
import dev.fettle.internal.network.Decoder;
import dev.fettle.internal.network.Network;
import dev.fettle.internal.torch.NumberType;
import dev.fettle.support.Golden;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Layers with a state in the place of keys and values: chunks, heads at once, and what is computed again change nothing. */
class StatesTest {
  private static final String MODEL = "families/qwen3.5";
  /** More than a chunk, two of one length, and some shorter than the convolution is wide. */
  private static final Batch BATCH = Batch.of(Stream.of(127, 66, 66, 3, 2, 2).map(StatesTest::tokens).map(Datum::of).toList());

  static List<Tuning> tunings() {
    return List.of(Full.all(), Lora.rank(4).dropout(0.2).seed(3), Lora.rank(4).dora());
  }

  private static int[] tokens(int length) {
    return new SplittableRandom(length).ints(length, 3, 60).toArray();
  }

  @ParameterizedTest
  @ValueSource(ints = {7, 64, 1000})
  void chunksAndHeadsAtOnceChangeNothing(int chunk) {
    try (Trained t = Trained.open(MODEL, Full.all())) {
      float[] expected = gradient(t, t.model.network(), false);
      float[] least = within(t, chunk, 1);
      float[] most = within(t, chunk, 1 << 20);

      double norm = norm(expected, new float[expected.length]);
      assertThat(norm(least, expected) / norm).isLessThan(2e-5);
      assertThat(norm(most, expected) / norm).isLessThan(2e-5);
    }
  }

  @Test
  void sequencesSideBySideDoNotSeeEachOther() {
    try (Trained together = Trained.open(MODEL, Full.all()); Trained apart = Trained.open(MODEL, Full.all())) {
      float[] whole = gradient(together, together.model.network(), false);
      for (Datum datum : BATCH.data()) {
        apart.training.forwardBackward(Batch.of(datum), Loss.crossEntropy()).join();
      }
      float[] parts = EngineThread.get().call(() -> flat(apart.training.tuned()));

      assertThat(norm(parts, whole) / norm(whole, new float[whole.length])).isLessThan(2e-5);
    }
  }

  @ParameterizedTest
  @MethodSource("tunings")
  void whatIsComputedAgainIsTheSame(Tuning tuning) {
    try (Trained kept = Trained.open(MODEL, tuning); Trained again = Trained.open(MODEL, tuning)) {
      assertThat(gradient(again, again.model.network(), true)).containsExactly(gradient(kept, kept.model.network(), false));
    }
  }

  @Test
  void samplesOfOnePromptGoOnApartAndSomeEndEarly() {
    try (Fettle fettle = Fettle.local(); BaseModel model = fettle.load(Golden.path(MODEL), DType.F32)) {
      assertThat(sampled(model).stream().map(s -> s.tokens().length).distinct().count()).isGreaterThan(1);
    }
  }

  /** No attention at all, no window of the convolution, one key head for all, sizes that nothing divides; no state at all. */
  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {"linear_attention|1|1|5|3|7", "linear_attention|6|3|3|1|1", "full_attention|4|2|4|8|8"})
  void oddShapesAreDecodedAsTheyAreRead(String type, int width, int keyHeads, int valueHeads, int keyDim, int valueDim,
      @TempDir Path directory) throws IOException {
    Files.writeString(directory.resolve("config.json"), """
        {"model_type": "qwen3_5_text", "vocab_size": 64, "hidden_size": 20, "intermediate_size": 28, "num_hidden_layers": 2,
         "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 16, "max_position_embeddings": 128, "eos_token_id": 7,
         "layer_types": ["%s", "%s"], "linear_conv_kernel_dim": %d, "linear_num_key_heads": %d, "linear_num_value_heads": %d,
         "linear_key_head_dim": %d, "linear_value_head_dim": %d}
        """.formatted(type, type, width, keyHeads, valueHeads, keyDim, valueDim));
    try (Fettle fettle = Fettle.local(); BaseModel model = fettle.initialise(directory, DType.F32, 1);
        Training training = model.tune(Full.all())) {
      sampled(model);
      double before = training.forwardBackward(BATCH, Loss.crossEntropy()).loss();
      training.optimStep(AdamW.learningRate(0.01));
      assertThat(training.forward(BATCH, Loss.crossEntropy()).loss()).isLessThan(before);
    }
  }

  /** Samples whose logprobs are those of a pass over all of their tokens. */
  private static List<Sample> sampled(BaseModel model) {
    Sampler sampler = model.sampler();
    List<int[]> prompts = List.of(tokens(70), tokens(2), tokens(1));
    List<List<Sample>> samples = sampler.sample(prompts, SamplingParams.standard().samples(3).maxTokens(40).seed(5));
    for (int i = 0; i < prompts.size(); i++) {
      for (Sample sample : samples.get(i)) {
        int[] all = Arrays.copyOf(prompts.get(i), prompts.get(i).length + sample.tokens().length);
        System.arraycopy(sample.tokens(), 0, all, prompts.get(i).length, sample.tokens().length);
        float[] forward = sampler.logprobs(all);
        assertThat(Golden.maxDifference(sample.logprobs(), Arrays.copyOfRange(forward, prompts.get(i).length - 1, forward.length)))
            .isLessThan(1e-4);
      }
    }
    return samples.stream().flatMap(List::stream).toList();
  }

  @Test
  void statesTakeTheSameHoweverLongASequenceIs() {
    ModelConfig config = ModelConfig.parse(Golden.path(MODEL + "/config.json"));
    long keys = 2 * 16 * 4;
    long states = 2 * (4 * 8 * 6 * 4 + 3 * 56 * 4);

    assertThat(Decoder.cacheBytes(config, NumberType.F32, 1, 10, 20)).isEqualTo(keys * 266 + states);
    assertThat(Decoder.cacheBytes(config, NumberType.F32, 3, 10, 500)).isEqualTo(3 * (keys * (266 + 532) + 2 * states));
  }

  @Test
  void numbersOfAModuleThatHoldsOthersAreSavedWithAllOfIt(@TempDir Path directory) {
    Full some = Full.of(Modules.named("layers.2.linear_attn"));
    Full all = Full.of(Modules.named("layers.2.linear_attn*"));
    try (Fettle fettle = Fettle.local(); BaseModel model = fettle.load(Golden.path(MODEL), DType.F32);
        Training part = model.tune(Lora.rank(2).plus(some));
        Training whole = model.tune(Lora.rank(2).plus(all))) {
      assertThatThrownBy(() -> part.saveAdapter(directory.resolve("part"))).isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("linear_attn.in_proj_qkv").hasMessageContaining("saveMerged");
      whole.forwardBackward(BATCH, Loss.crossEntropy());
      whole.optimStep(AdamW.learningRate(0.01));
      whole.saveAdapter(directory.resolve("whole"));
      assertThat(Golden.json(directory.resolve("whole/adapter_config.json")).get("modules_to_save").toString())
          .isEqualTo("[\"model.layers.2.linear_attn\"]");
      try (Training again = model.tune(Lora.from(directory.resolve("whole")))) {
        assertThat(again.forward(BATCH, Loss.crossEntropy()).loss()).isEqualTo(whole.forward(BATCH, Loss.crossEntropy()).loss());
      }
    }
  }

  private static float[] within(Trained t, int chunk, long atOnce) {
    ModelConfig c = t.model.config();
    List<LayerConfig> layers = c.layers().stream().map(l -> {
      LayerNumbers n = l.numbers();
      return new LayerConfig(l.path(), l.parts(), new LayerNumbers(n.heads(), n.kvHeads(), n.window(), chunk, atOnce, n.causal(),
          n.gated(), n.activation(), n.unitOffset(), n.growthPeriod(), n.growth(), n.eps(), n.scale(), n.residual(), n.softCap(),
          n.experts(), n.outputGate(), n.delta()), l.headDim(), l.rope());
    }).toList();
    ModelConfig changed = new ModelConfig(c.architecture(), c.vocabSize(), c.hiddenSize(), c.contextLength(), c.numbers(),
        c.embeddings(), layers, c.outputs(), c.storedType(), c.bosId(), c.eosIds());
    return EngineThread.get().call(() -> {
      try (Network network = new Network(changed, NumberType.F32)) {
        return pass(t, network, false);
      }
    });
  }

  private static float[] gradient(Trained t, Network network, boolean sparing) {
    return EngineThread.get().call(() -> pass(t, network, sparing));
  }

  private static float[] pass(Trained t, Network network, boolean sparing) {
    TrainableModel tuned = t.training.tuned();
    new TokenPass(network, tuned, new MemoryPlanner(t.model.layout(), NumberType.F32, t.model.blocks(), sparing))
        .forwardBackward(BATCH, Loss.crossEntropy(), false, 0);
    float[] gradient = flat(tuned);
    tuned.gradients().clear();
    return gradient;
  }

  private static float[] flat(TrainableModel tuned) {
    List<float[]> pieces = tuned.gradients().pieces().stream().map(piece -> piece.values().floats()).toList();
    float[] all = new float[pieces.stream().mapToInt(p -> p.length).sum()];
    int at = 0;
    for (float[] piece : pieces) {
      System.arraycopy(piece, 0, all, at, piece.length);
      at += piece.length;
    }
    return all;
  }

  private static double norm(float[] x, float[] y) {
    double sum = 0;
    for (int i = 0; i < x.length; i++) {
      sum += Math.pow(x[i] - y[i], 2);
    }
    return Math.sqrt(sum);
  }
}
