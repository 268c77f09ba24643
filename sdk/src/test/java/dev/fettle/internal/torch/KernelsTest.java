package dev.fettle.internal.torch;

import static org.assertj.core.api.Assertions.assertThat;

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
