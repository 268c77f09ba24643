package dev.fettle.internal.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.fettle.internal.model.Layout;
import dev.fettle.internal.model.ModelConfig;
import dev.fettle.internal.model.Product;
import dev.fettle.internal.torch.FewRows;
import dev.fettle.internal.torch.NativeList;
import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import dev.fettle.internal.torch.Torch;
import java.util.List;
import java.util.Set;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DecodeWeightsTest {
  private static final DecodeWeights.Maker UNCOUNTED = new DecodeWeights.Maker() {
    @Override
    public void takes(long bytes, long meanwhile) {
    }

    @Override
    public void each(int n, IntConsumer piece) {
      IntStream.range(0, n).forEach(piece);
    }
  };

  /** FBGEMM takes matrices of any size; libtorch's own kernel, for processors without it, would read past the end of some. */
  @Test
  void matricesOfAnySizeAreRoundedWhereTheProcessorTakesThem() {
    Layout layout = layout(36, 40);
    Layout even = layout(32, 48);

    try (Scope scope = new Scope(); DecodeWeights odd = DecodeWeights.int8(Weights.zeros(layout, scope, NumberType.BF16), UNCOUNTED);
        DecodeWeights rounded = DecodeWeights.int8(Weights.zeros(even, scope, NumberType.BF16), UNCOUNTED)) {
      boolean any = Torch.get().fewRows();
      assertThat(layout.blocks()).filteredOn(Layout.Block::isProduct).isNotEmpty().allMatch(b -> b.shape()[0] % 32 != 0
          || b.shape()[1] % 32 != 0).allSatisfy(b -> assertThat(odd.isRounded(b)).isEqualTo(any));
      assertThat(rounded.isRounded(even.block(0, Product.QKV).orElseThrow())).isTrue();
      assertThat(rounded.isRounded(even.block(0, Product.DOWN).orElseThrow())).as("48 inputs").isEqualTo(any);
      assertThat(rounded.isRounded(even.block(0, Product.GATE_UP).orElseThrow())).as("96 outputs").isTrue();
    }
  }

  /** Rows with numbers of very different size, a row of zeros, and weights at both ends of what 8 bits hold. */
  @ParameterizedTest
  @CsvSource({"37, 1001", "1, 1", "300, 513", "64, 512"})
  void aProductWithRoundedWeightsIsThatWithTheNumbersTheyStandFor(long outputs, long inputs) {
    assumeTrue(Torch.get().fewRows(), "FBGEMM does not multiply here");
    try (Scope scope = new Scope()) {
      var kernels = scope.kernels();
      Weight.Quantised w = (Weight.Quantised) WeightForm.INT8.zeros(scope, NumberType.F32, outputs, inputs);
      Tensor values = kernels.normal(new long[] {outputs, inputs}, 1, NumberType.F32, scope.device());
      w.write(0, outputs, (step, from, count) -> step.kernels().rows(values, from, count));
      NativeList<FewRows> few = kernels.packInt8(w.tensors().get(0), w.tensors().get(1));

      for (NumberType type : List.of(NumberType.F32, NumberType.BF16)) {
        assertProduct(scope, w.dense(scope), few, true, type, type == NumberType.F32 ? 3e-4 : 3e-3);
      }
    }
  }

  /** Of numbers that float16 holds, in a few sizes that are no multiple of anything and one with many rows. */
  @ParameterizedTest
  @CsvSource({"37, 1001", "1, 1", "300, 513", "64, 512", "1000, 31"})
  void aProductWithHalvesIsThatOfTheMatrix(long outputs, long inputs) {
    assumeTrue(Torch.get().fewRows(), "FBGEMM does not multiply here");
    try (Scope scope = new Scope()) {
      var kernels = scope.kernels();
      Tensor w = kernels.cast(kernels.normal(new long[] {outputs, inputs}, 0.02, NumberType.BF16, scope.device()), NumberType.F32);

      assertThat(kernels.lostInHalf(w)).isLessThan(1e-6);
      for (NumberType type : List.of(NumberType.F32, NumberType.BF16)) {
        assertProduct(scope, w, kernels.packHalf(w), false, type, type == NumberType.F32 ? 1e-6 : 3e-3);
      }
    }
  }

  private static void assertProduct(Scope scope, Tensor w, NativeList<FewRows> few, boolean rounded, NumberType type, double within) {
    var kernels = scope.kernels();
    long outputs = w.shape()[0];
    long inputs = w.shape()[1];
    for (int rows : new int[] {2, 19}) {
      Tensor x = kernels.cast(kernels.joined(kernels.normal(new long[] {rows, inputs}, 30, NumberType.F32, scope.device()),
          scope.zeros(NumberType.F32, 1, inputs), 0), type);
      float[] left = kernels.flat(kernels.cast(x, NumberType.F32)).floats();
      float[] right = kernels.flat(w).floats();
      float[] got = kernels.flat(kernels.cast(kernels.decodingProduct(x, scope.list(), few, rounded, type), NumberType.F32)).floats();
      double norm = 0;
      double error = 0;
      for (int i = 0; i < rows * outputs; i++) {
        double exact = 0;
        for (int j = 0; j < inputs; j++) {
          exact += (double) left[(int) (i / outputs * inputs + j)] * right[(int) (i % outputs * inputs + j)];
        }
        norm += exact * exact;
        error += (got[i] - exact) * (got[i] - exact);
      }

      assertThat(Math.sqrt(error / norm)).as("%s, %d rows", type, rows).isLessThan(within);
      IntStream.range((int) (rows * outputs), got.length).forEach(i -> assertThat(got[i]).as("of zeros").isCloseTo(0, within(1e-30f)));
    }
  }

  /** Numbers with more digits than float16 has, larger ones than it has, and none at all. */
  @Test
  void matricesThatFloat16DoesNotHoldStayAsTheyAre() {
    Layout layout = layout(32, 48);
    try (Scope scope = new Scope()) {
      Weights weights = Weights.zeros(layout, scope, NumberType.F32);
      assertThat(DecodeWeights.halves(weights)).as("zeros").hasSize(Torch.get().fewRows() ? 5 : 0);
      fill(scope, weights, Product.QKV, 1 + 0x1p-14);
      fill(scope, weights, Product.O, 70_000);
      fill(scope, weights, Product.DOWN, Double.NaN);
      fill(scope, weights, Product.GATE_UP, 0x1p-14);

      Set<Layout.Block> halves = DecodeWeights.halves(weights);
      assertThat(halves).doesNotContain(layout.block(0, Product.QKV).orElseThrow(), layout.block(0, Product.O).orElseThrow(),
          layout.block(0, Product.DOWN).orElseThrow()).hasSize(Torch.get().fewRows() ? 2 : 0);
    }
  }

  private static void fill(Scope scope, Weights weights, Product product, double value) {
    Weight w = weights.weight(weights.layout().block(0, product).orElseThrow());
    scope.kernels().addTo(w.tensors().get(0), scope.kernels().constant(w.shape(), value, NumberType.F32, scope.device()), true);
  }

  /** Of 64 rows of 260 numbers: blocks that are not full, and of rows of 256 nested scales that begin within their 256. */
  @ParameterizedTest
  @CsvSource({"INT8, 0, false, 260", "NF4, 64, false, 260", "NF4, 64, true, 256", "INT4, 32, false, 260"})
  void rowsThatAreChosenAreThoseOfTheWholeMatrix(Levels levels, int length, boolean nested, long inputs) {
    try (Scope scope = new Scope()) {
      var kernels = scope.kernels();
      Weight.Quantised w = (Weight.Quantised) new WeightForm(levels, length, nested).zeros(scope, NumberType.F32, 128, inputs);
      Tensor values = kernels.normal(new long[] {128, inputs}, 1, NumberType.F32, scope.device());
      w.write(0, 128, (step, from, count) -> step.kernels().rows(values, from, count));
      Tensor places = scope.longs(127, 3, 3, 70, 0);
      Tensor chosen = kernels.embed(scope.list(w.tensors()), places, NumberType.F32, scope.list(),
          layout(32, 32).config().numbers().reals(false));

      assertThat(kernels.flat(chosen).floats()).isEqualTo(kernels.flat(kernels.selectRows(w.dense(scope), places)).floats());
    }
  }

  @Test
  void expertsAreRoundedOneByOneAndTheirRouterStaysExact() {
    Layout even = experts(32);
    Layout odd = experts(48);

    try (Scope scope = new Scope(); DecodeWeights rounded = DecodeWeights.int8(Weights.zeros(even, scope, NumberType.BF16), UNCOUNTED);
        DecodeWeights exact = DecodeWeights.exact(Weights.zeros(even, scope, NumberType.BF16), Set.of(), UNCOUNTED);
        DecodeWeights left = DecodeWeights.int8(Weights.zeros(odd, scope, NumberType.BF16), UNCOUNTED)) {
      for (Product product : new Product[] {Product.EXPERTS_GATE_UP, Product.EXPERTS_DOWN}) {
        assertThat(rounded.weight(even.block(0, product).orElseThrow())).isInstanceOf(Weight.Quantised.class);
        assertThat(exact.weight(even.block(0, product).orElseThrow())).isInstanceOf(Weight.Dense.class);
        assertThat(left.weight(odd.block(0, product).orElseThrow())).as("48 of each").isInstanceOf(Weight.Dense.class);
      }
      assertThat(rounded.weight(even.block(0, Product.ROUTER).orElseThrow())).isInstanceOf(Weight.Dense.class);
      assertThat(DecodeWeights.copiedBytes(rounded.original(), true, 1, Set.of())
          - DecodeWeights.copiedBytes(left.original(), true, 1, Set.of()))
          .isEqualTo(32 * 3 * 32 * 64);
    }
  }

  private static Layout experts(int width) {
    return Layout.of(ModelConfig.parse("{\"model_type\":\"olmoe\",\"vocab_size\":64,\"hidden_size\":64,\"intermediate_size\":" + width
        + ",\"num_experts\":32,\"num_hidden_layers\":1,\"num_attention_heads\":2}", "config.json"));
  }

  private static Layout layout(int hidden, int intermediate) {
    return Layout.of(ModelConfig.parse("{\"model_type\":\"llama\",\"vocab_size\":64,\"hidden_size\":" + hidden
        + ",\"intermediate_size\":" + intermediate + ",\"num_hidden_layers\":1,\"num_attention_heads\":2}", "config.json"));
  }

  @Test
  void whatIsRoundedIsReadBackWithinHalfAStep() {
    try (Scope scope = new Scope()) {
      var values = scope.kernels().normal(new long[] {32, 64}, 1, NumberType.F32, scope.device());
      Weight.Quantised rounded = (Weight.Quantised) WeightForm.INT8.zeros(scope, NumberType.F32, 32, 64);
      rounded.write(0, 32, (step, from, count) -> step.kernels().rows(values, from, count));
      float[] before = scope.kernels().rows(values, 8, 4).floats();
      float[] after = scope.kernels().flat(rounded.dense(scope, 8, 4)).floats();

      for (int row = 0; row < 4; row++) {
        float largest = 0;
        for (int i = 0; i < 64; i++) {
          largest = Math.max(largest, Math.abs(before[64 * row + i]));
        }
        for (int i = 0; i < 64; i++) {
          assertThat(after[64 * row + i]).isBetween(before[64 * row + i] - largest / 250, before[64 * row + i] + largest / 250);
        }
      }
    }
  }
}
