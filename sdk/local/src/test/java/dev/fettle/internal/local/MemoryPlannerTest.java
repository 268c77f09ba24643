package dev.fettle.internal.local;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fettle.AdamW;
import dev.fettle.Batch;
import dev.fettle.DType;
import dev.fettle.Datum;
import dev.fettle.Full;
import dev.fettle.Lora;
import dev.fettle.Loss;
import dev.fettle.MemoryPlan;
import dev.fettle.Modules;
import dev.fettle.Quantisation;
import dev.fettle.Tuning;
import dev.fettle.internal.ProgressMeter;
import dev.fettle.internal.checkpoint.ModelDirectory;
import dev.fettle.internal.model.AdapterShape;
import dev.fettle.internal.model.LayerConfig;
import dev.fettle.internal.model.Layout;
import dev.fettle.internal.model.ModelConfig;
import dev.fettle.internal.model.Product;
import dev.fettle.internal.network.Adapter;
import dev.fettle.internal.network.Decoder;
import dev.fettle.internal.network.Weight;
import dev.fettle.internal.network.WeightForm;
import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import dev.fettle.support.Golden;
import java.nio.file.Path;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Planned bytes beside those of the tensors that come into being. */
class MemoryPlannerTest {
  static Stream<Tuning> tunings() {
    return Stream.of(Lora.rank(4), Lora.rank(3).targetModules(Modules.named("q_proj"), Modules.named("down_proj")), Lora.rank(4).dora(),
        Lora.rank(2).pissa(), Lora.rank(2).bias(), Lora.rank(4).targetModules(Modules.embeddings(), Modules.lmHead()), Full.all(),
        Full.of(Modules.named("k_proj"), Modules.norms()),
        Lora.rank(4).targetModules(Modules.attention()).plus(Full.of(Modules.mlp(), Modules.embeddings())));
  }

  /** The shape of Qwen3-0.6B: its embedding, a quarter of it, is the output too. */
  @Test
  void inFourBitsAModelTakesLessThanAThirdOfBf16IfItsEmbeddingDoesToo() {
    Layout layout = Layout.of(ModelConfig.parse("{\"model_type\":\"qwen3\",\"vocab_size\":151936,\"hidden_size\":1024,"
        + "\"intermediate_size\":3072,\"num_hidden_layers\":28,\"num_attention_heads\":16,\"num_key_value_heads\":8,\"head_dim\":128,"
        + "\"tie_word_embeddings\":true}", "config.json"));
    Quantisation linear = Quantisation.nf4();
    double dense = BlockForms.dense(layout).bytes(NumberType.BF16);

    assertThat(share(layout, linear, dense)).isBetween(0.46, 0.48);
    assertThat(share(layout, linear.including(Modules.embeddings()), dense)).isBetween(0.28, 0.285);
    assertThat(share(layout, linear.doubleQuantised().including(Modules.embeddings()), dense)).isBetween(0.255, 0.265);
  }

  private static double share(Layout layout, Quantisation form, double dense) {
    return BlockForms.of(layout, Optional.of(form), w -> WeightForm.DENSE).bytes(NumberType.BF16) / dense;
  }

  /** The shape of a layer of Qwen3-8B: the first product of its MLP is the largest, and each of its modules is decomposed alone. */
  @Test
  void theStartOfPissaHoldsItsLargestModuleAsNumbers() {
    ModelConfig config = ModelConfig.parse("{\"model_type\":\"qwen3\",\"vocab_size\":100,\"hidden_size\":4096,\"intermediate_size\":12288,"
        + "\"num_hidden_layers\":1,\"num_attention_heads\":32,\"num_key_value_heads\":8,\"head_dim\":128}", "config.json");
    Layout layout = Layout.of(config);
    AdapterShape shape = AdapterShape.of(config, new AdapterShape.Kind(false, false, true), name -> name.endsWith("_proj") ? 8 : 0, n -> 1);
    long numbers = 12288L * 4096;
    long lapack = 4 * (2 * numbers + 4096L * (12288 + 4096) + 4 * 4096L * 4096);
    BlockForms quantised = BlockForms.of(layout, Optional.of(Quantisation.nf4()), w -> WeightForm.DENSE);

    assertThat(new MemoryPlanner(layout, NumberType.F32, BlockForms.dense(layout)).start(shape).total()).isEqualTo(lapack);
    assertThat(new MemoryPlanner(layout, NumberType.BF16, BlockForms.dense(layout)).start(shape).total()).isEqualTo(lapack + 4 * numbers);
    assertThat(new MemoryPlanner(layout, NumberType.BF16, quantised).start(shape).total()).isEqualTo(lapack + 6 * numbers);
  }

  @ParameterizedTest
  @MethodSource("tunings")
  void whatATrainingHoldsIsPlannedToTheByte(Tuning tuning) {
    for (DType type : DType.values()) {
      try (LocalModel model = load(type)) {
        LocalTraining training = (LocalTraining) model.tune(tuning);
        training.step(batch(6, 12), Loss.crossEntropy(), AdamW.learningRate(1e-4)).join();
        TrainableModel tuned = training.tuned();
        MemoryPlan plan = training.memoryPlan().join();
        long vector = EngineThread.get().call(() -> bytes(NumberType.F32, tuned.parameters().values()));

        assertThat(plan.bytes(MemoryPlanner.WEIGHTS))
            .isEqualTo(tuned.sharesBase() ? model.parameters() * NumberType.of(type).size() : 0);
        assertThat(plan.bytes(MemoryPlanner.PARAMETERS)).as("%s in %s", tuning, type)
            .isEqualTo(vector + EngineThread.get().call(() -> copies(tuned, NumberType.of(type))));
        assertThat(plan.bytes(MemoryPlanner.MOMENTS)).isEqualTo(EngineThread.get().call(() -> bytes(NumberType.F32,
            tuned.parameters().firstMoment(), tuned.parameters().secondMoment())));
        assertThat(plan.bytes(MemoryPlanner.GRADIENTS)).isEqualTo(tuned.lanes() * vector);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("tunings")
  void whatASnapshotCopiesIsPlannedToTheByte(Tuning tuning) {
    try (LocalModel model = load(DType.F32)) {
      TrainableModel tuned = ((LocalTraining) model.tune(tuning)).tuned();
      EngineThread.get().run(() -> {
        try (Scope scope = new Scope()) {
          TrainableModel.Frozen frozen = tuned.freeze(scope);
          long copied = bytes(NumberType.F32, frozen.adapter().numbers());
          assertThat(frozen.adapter().openedBytes()).isLessThanOrEqualTo(frozen.adapter().stackedBytes());
          for (Layout.Block block : frozen.weights().layout().blocks()) {
            Weight now = tuned.weights().weight(block);
            Weight then = frozen.weights().weight(block);
            copied += then == null || then == now ? 0 : then.bytes();
          }
          assertThat(tuned.freezing().total()).isEqualTo(copied);
        }
      });
    }
  }

  @Test
  void aSnapshotHoldsTheNumbersOfAnAdapterAlone() {
    try (LocalModel model = load(DType.F32)) {
      TrainableModel tuned = ((LocalTraining) model.tune(Lora.rank(16))).tuned();

      assertThat(tuned.freezing().total()).isEqualTo(tuned.parameters().size() * Float.BYTES);
    }
  }

  @Test
  void adaptersOfExpertsArePlannedToTheByte() {
    for (DType type : DType.values()) {
      try (LocalModel model = load(Golden.path("families/qwen3-moe"), type)) {
        LocalTraining training = (LocalTraining) model.tune(Lora.rank(3).targetModules(Modules.experts(), Modules.attention()));
        TrainableModel tuned = training.tuned();
        long vector = EngineThread.get().call(() -> bytes(NumberType.F32, tuned.parameters().values()));

        assertThat(training.memoryPlan().join().bytes(MemoryPlanner.PARAMETERS))
            .isEqualTo(vector + EngineThread.get().call(() -> adapter(tuned.adapter(), NumberType.of(type))));
        training.close();
      }
    }
  }

  @Test
  void cachesGrowAsTheDecoderHasThemGrow() {
    ModelConfig config = ModelConfig.parse(Golden.path("models/qwen3").resolve("config.json"));
    long token = 2L * config.layers().stream().mapToLong(LayerConfig::keyValueWidth).sum() * 4;

    assertThat(Decoder.cacheBytes(config, NumberType.F32, 3, 10, 266)).isEqualTo(3 * token * 266);
    assertThat(Decoder.cacheBytes(config, NumberType.F32, 3, 10, 267)).isEqualTo(3 * token * (266 + 532));
    assertThat(Decoder.cacheBytes(config, NumberType.BF16, 1, 10, 533)).isEqualTo(token / 2 * (532 + 1064));
  }

  @Test
  void aRankBeyondAllMeasureIsNoOverflow() {
    ModelConfig config = ModelConfig.parse(Golden.path("models/qwen3").resolve("config.json"));
    AdapterShape shape = AdapterShape.of(config, AdapterShape.Kind.PLAIN, name -> Integer.MAX_VALUE, name -> 1);

    assertThat(Adapter.bytes(shape, NumberType.F32)).isGreaterThan(1L << 40);
  }

  @Test
  void fewerLayersKeptTakeLessAndTheLargestMicroBatchCounts() {
    try (LocalModel model = load(DType.F32)) {
      TrainableModel tuned = ((LocalTraining) model.tune(Lora.rank(2))).tuned();
      MemoryPlanner planner = model.memory();
      long all = planner.backward(batch(8, 90), tuned, 0, false).bytes(MemoryPlanner.ACTIVATIONS);
      long none = planner.backward(batch(8, 90), tuned, model.config().layers().size(), false).bytes(MemoryPlanner.ACTIVATIONS);

      assertThat(none).isLessThan(all);
      assertThat(planner.forward(batch(8, 90)).total()).isLessThan(planner.backward(batch(8, 90), tuned, 0, false).total());
      int together = TokenPass.MICRO_BATCH / 89;
      assertThat(planner.backward(batch(3 * together, 90), tuned, 0, false))
          .isEqualTo(planner.backward(batch(together, 90), tuned, 0, false));
    }
  }

  private static LocalModel load(DType type) {
    return load(Golden.path("models/llama-untied"), type);
  }

  private static LocalModel load(Path directory, DType type) {
    return EngineThread.get().call(() -> LocalModel.load("m", ModelDirectory.files(directory),
        Optional.of(type), new ProgressMeter()));
  }

  /** What is held beside the vector itself: what the network reads in its place. */
  private static long copies(TrainableModel tuned, NumberType type) {
    long sum = adapter(tuned.adapter(), type);
    if (tuned.adapters().start() != null) {
      sum += bytes(NumberType.F32, tuned.adapters().start());
    }
    for (Layout.Block block : Layout.of(tuned.layout().config().withBiases()).blocks()) {
      Weight bias = tuned.adapters().bias(block);
      sum += bias == null ? 0 : bias.bytes();
    }
    long own = 0;
    for (Layout.Block block : tuned.layout().blocks()) {
      Weight t = tuned.full().own(block);
      boolean whole = t != null && type == NumberType.F32
          && tuned.full().parameters().stream().filter(p -> tuned.layout().weights().get(p.name()).block().equals(block))
              .mapToLong(ParameterVector.Parameter::size).sum() == block.size();
      own += t == null || whole ? 0 : t.bytes();
    }
    return sum + own;
  }

  private static long adapter(Adapter adapter, NumberType type) {
    AdapterShape shape = adapter.shape();
    long sum = pair(adapter.embedding(), type) + pair(adapter.head(), type);
    for (int layer = 0; layer < shape.layers(); layer++) {
      for (Product product : Product.values()) {
        sum += pair(adapter.pair(layer, product), type);
      }
    }
    return sum;
  }

  private static long pair(Adapter.Pair pair, NumberType type) {
    return pair == null ? 0 : bytes(type, pair.a(), pair.scaledB())
        + (pair.gain() == null ? 0 : bytes(type, pair.gain()) + bytes(NumberType.F32, pair.inverseNorm()));
  }

  private static long bytes(NumberType type, Tensor... tensors) {
    return type.size() * Stream.of(tensors).mapToLong(Tensor::size).sum();
  }

  private static Batch batch(int size, int length) {
    SplittableRandom random = new SplittableRandom(3);
    return Batch.of(random.ints(size).mapToObj(i -> Datum.of(random.ints(length, 0, 90).toArray())).toList());
  }
}
