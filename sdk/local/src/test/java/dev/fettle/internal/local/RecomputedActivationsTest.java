package dev.fettle.internal.local;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fettle.Batch;
import dev.fettle.Datum;
import dev.fettle.Full;
import dev.fettle.Lora;
import dev.fettle.Loss;
import dev.fettle.Modules;
import dev.fettle.Tuning;
import dev.fettle.internal.local.GradientsTest.Trained;
import dev.fettle.internal.torch.NumberType;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Activations that are computed again on the way back, as where memory is short, give the very same gradient. */
class RecomputedActivationsTest {
  private static final Batch BATCH = Batch.of(Datum.of(3, 1, 4, 1, 5, 9, 2, 6), Datum.of(2, 7, 1, 8, 2, 8));

  static List<Tuning> tunings() {
    return List.of(Lora.rank(4), Lora.rank(4).dropout(0.2).seed(3), Lora.rank(4).dora(), Full.all(),
        Full.of(Modules.lastLayers(1)), Lora.rank(2).targetModules(Modules.attention()).plus(Full.of(Modules.norms())));
  }

  @ParameterizedTest
  @MethodSource("tunings")
  void theGradientIsTheSame(Tuning tuning) {
    assertThat(gradient(tuning, true)).usingElementComparator(Arrays::compare).isEqualTo(gradient(tuning, false));
  }

  private static List<float[]> gradient(Tuning tuning, boolean sparing) {
    try (Trained t = Trained.open("models/qwen3", tuning)) {
      return EngineThread.get().call(() -> {
        TrainableModel tuned = t.training.tuned();
        MemoryPlanner memory = new MemoryPlanner(t.model.layout(), NumberType.F32, t.model.blocks(), sparing);
        assertThat(memory.firstKept(BATCH, tuned, false)).isEqualTo(sparing ? t.model.config().layers().size()
            : Math.max(0, tuned.lowestLayer()));
        new TokenPass(t.model.network(), tuned, memory).forwardBackward(BATCH, Loss.crossEntropy(), false, 0);
        List<float[]> gradient = tuned.gradients().pieces().stream().map(piece -> piece.values().floats()).toList();
        assertThat(gradient).anySatisfy(g -> assertThat(g).isNotEqualTo(new float[g.length]));
        return gradient;
      });
    }
  }
}
