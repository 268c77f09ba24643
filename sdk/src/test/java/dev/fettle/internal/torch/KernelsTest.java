package dev.fettle.internal.torch;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class KernelsTest {
  @Test
  void aLinearLayerAddsItsBias() {
    try (Scope scope = new Scope()) {
      Tensor x = scope.call("part", scope.floats(1, 2, 3, 4, 5, 6), 0, new long[] {2, 3});
      Tensor w = scope.call("part", scope.floats(1, 0, 0, 0, 1, 1), 0, new long[] {2, 3});
      Tensor none = scope.call("nothing", false);

      Tensor y = scope.call("linear", x, w, scope.floats(10, 20), none, none, none);

      assertThat(y.floats()).containsExactly(11, 25, 14, 31);
    }
  }

  @Test
  void whatAThreadComputesDoesNotDependOnOtherThreads() throws Exception {
    try (Scope scope = new Scope()) {
      Tensor none = scope.call("nothing", false);
      Tensor residual = scope.call("normal", new long[] {64, 64}, 1.0, NumberType.BF16);
      Tensor x = scope.call("normal", new long[] {64, 256}, 1.0, NumberType.BF16);
      Tensor w = scope.call("normal", new long[] {64, 256}, 1.0, NumberType.BF16);
      float[] before = sum(residual, x, w, none);
      AtomicReference<float[]> elsewhere = new AtomicReference<>();

      Thread thread = new Thread(() -> elsewhere.set(sum(residual, x, w, none)));
      thread.start();
      thread.join();

      assertThat(elsewhere.get()).isEqualTo(before);
      assertThat(sum(residual, x, w, none)).isEqualTo(before);
    }
  }

  private static float[] sum(Tensor residual, Tensor x, Tensor w, Tensor none) {
    try (Scope scope = new Scope()) {
      return scope.call("linear_onto", residual, x, w, none, none, none, none).floats();
    }
  }

  @Test
  void aScopeFreesWhatItOwns() {
    Torch.get();
    long before = Torch.liveHandles();
    try (Scope scope = new Scope()) {
      scope.floats(1, 2, 3);
      scope.longs(1L, 2L);
      assertThat(Torch.liveHandles()).isEqualTo(before + 2);
    }
    assertThat(Torch.liveHandles()).isEqualTo(before);
  }
}
