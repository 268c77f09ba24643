package dev.fettle.internal.network;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fettle.internal.model.Layout;
import dev.fettle.internal.model.ModelConfig;
import dev.fettle.internal.model.Product;
import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Scope;
import org.junit.jupiter.api.Test;

class DecodeWeightsTest {
  /** libtorch's kernel for 8-bit integers would read past the end of others. */
  @Test
  void matricesWithASideThatIsNoMultipleOf32StayAsTheyAre() {
    Layout layout = layout(36, 40);
    Layout even = layout(32, 48);

    try (Scope scope = new Scope(); DecodeWeights odd = DecodeWeights.int8(Weights.zeros(layout, scope, NumberType.BF16));
        DecodeWeights rounded = DecodeWeights.int8(Weights.zeros(even, scope, NumberType.BF16))) {
      assertThat(layout.blocks()).filteredOn(Layout.Block::isProduct).isNotEmpty().allMatch(b -> b.shape()[0] % 32 != 0
          || b.shape()[1] % 32 != 0).allSatisfy(b -> assertThat(odd.weight(b)).isInstanceOf(Weight.Dense.class));
      assertThat(rounded.weight(even.block(0, Product.QKV).orElseThrow())).isInstanceOf(Weight.Quantised.class);
      assertThat(rounded.weight(even.block(0, Product.DOWN).orElseThrow())).as("48 inputs").isInstanceOf(Weight.Dense.class);
      assertThat(rounded.weight(even.block(0, Product.GATE_UP).orElseThrow())).as("96 outputs").isInstanceOf(Weight.Quantised.class);
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
