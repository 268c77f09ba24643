package dev.fettle.internal.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.fettle.internal.model.Layout;
import dev.fettle.internal.model.ModelConfig;
import dev.fettle.internal.model.Product;
import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import dev.fettle.internal.torch.Torch;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DecodeWeightsTest {
  /** oneDNN takes matrices of any size; libtorch's own kernel, for processors without oneDNN, would read past the end of some. */
  @Test
  void matricesOfAnySizeAreRoundedWhereTheProcessorTakesThem() {
    Layout layout = layout(36, 40);
    Layout even = layout(32, 48);

    try (Scope scope = new Scope(); DecodeWeights odd = DecodeWeights.int8(Weights.zeros(layout, scope, NumberType.BF16));
        DecodeWeights rounded = DecodeWeights.int8(Weights.zeros(even, scope, NumberType.BF16))) {
      Class<?> form = Torch.get().int8() ? Weight.Packed.class : Weight.Dense.class;
      assertThat(layout.blocks()).filteredOn(Layout.Block::isProduct).isNotEmpty().allMatch(b -> b.shape()[0] % 32 != 0
          || b.shape()[1] % 32 != 0).allSatisfy(b -> assertThat(odd.weight(b)).isInstanceOf(form));
      assertThat(rounded.weight(even.block(0, Product.QKV).orElseThrow())).isNotInstanceOf(Weight.Dense.class);
      assertThat(rounded.weight(even.block(0, Product.DOWN).orElseThrow())).as("48 inputs").isInstanceOf(form);
      assertThat(rounded.weight(even.block(0, Product.GATE_UP).orElseThrow())).as("96 outputs").isNotInstanceOf(Weight.Dense.class);
    }
  }

  /** Rows with numbers of very different size, a row of zeros, and weights at both ends of what 8 bits hold. */
  @Test
  void aProductWithRoundedWeightsIsThatWithTheNumbersTheyStandFor() {
    assumeTrue(Torch.get().int8(), "oneDNN does not multiply with 8-bit integers here");
    try (Scope scope = new Scope()) {
      var kernels = scope.kernels();
      Weight.Quantised w = (Weight.Quantised) WeightForm.INT8.zeros(scope, NumberType.F32, 37, 1001);
      Tensor values = kernels.normal(new long[] {37, 1001}, 1, NumberType.F32, scope.device());
      w.write(0, 37, (step, from, count) -> step.kernels().rows(values, from, count));
      double[] plain = layout(32, 32).config().numbers().reals(false);
      for (NumberType type : List.of(NumberType.F32, NumberType.BF16)) {
        Tensor x = kernels.cast(kernels.joined(kernels.normal(new long[] {2, 1001}, 30, NumberType.F32, scope.device()),
            scope.zeros(NumberType.F32, 1, 1001), 0), type);
        float[] exact = kernels.headLogits(kernels.cast(x, NumberType.F32), scope.list(w.dense(scope)), plain).floats();
        Tensor[] packed = kernels.packInt8(w.tensors().get(0), w.tensors().get(1));
        float[] got = kernels.headLogits(x, scope.list(packed), plain).floats();
        double norm = Math.sqrt(IntStream.range(0, 74).mapToDouble(i -> exact[i] * exact[i]).sum());
        double error = Math.sqrt(IntStream.range(0, 74).mapToDouble(i -> Math.pow(got[i] - exact[i], 2)).sum());

        assertThat(error / norm).as(type.toString()).isLessThan(type == NumberType.F32 ? 3e-4 : 3e-3);
        IntStream.range(74, 111).forEach(i -> assertThat(got[i]).as("of zeros").isCloseTo(0, within(1e-30f)));
      }
    }
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

    try (Scope scope = new Scope(); DecodeWeights rounded = DecodeWeights.int8(Weights.zeros(even, scope, NumberType.BF16));
        DecodeWeights exact = DecodeWeights.exact(Weights.zeros(even, scope, NumberType.BF16));
        DecodeWeights left = DecodeWeights.int8(Weights.zeros(odd, scope, NumberType.BF16))) {
      for (Product product : new Product[] {Product.EXPERTS_GATE_UP, Product.EXPERTS_DOWN}) {
        assertThat(rounded.weight(even.block(0, product).orElseThrow())).isInstanceOf(Weight.Quantised.class);
        assertThat(exact.weight(even.block(0, product).orElseThrow())).isInstanceOf(Weight.Dense.class);
        assertThat(left.weight(odd.block(0, product).orElseThrow())).as("48 of each").isInstanceOf(Weight.Dense.class);
      }
      assertThat(rounded.weight(even.block(0, Product.ROUTER).orElseThrow())).isInstanceOf(Weight.Dense.class);
      assertThat(DecodeWeights.copiedBytes(rounded.original(), true) - DecodeWeights.copiedBytes(left.original(), true))
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
