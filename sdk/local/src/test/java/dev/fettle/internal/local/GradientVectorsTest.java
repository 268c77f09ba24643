package dev.fettle.internal.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fettle.Batch;
import dev.fettle.Datum;
import dev.fettle.Full;
import dev.fettle.Lora;
import dev.fettle.Loss;
import dev.fettle.Modules;
import dev.fettle.NumericException;
import dev.fettle.Tuning;
import dev.fettle.internal.local.GradientsTest.Trained;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A pass adds to the gradient when it has succeeded, and else not at all. */
@Tag("golden")
class GradientVectorsTest {
  private static final Batch GOOD = Batch.of(answer(1, 3e-1f), answer(5, -2));
  private static final Comparator<float[]> SAME_BITS = Arrays::compare;

  static List<Tuning> tunings() {
    return List.of(Lora.rank(4), Lora.rank(4).targetModules(Modules.attention(), Modules.lmHead()), Full.all(),
        Lora.rank(2).targetModules(Modules.attention()).plus(Full.of(Modules.lmHead(), Modules.norms())));
  }

  @ParameterizedTest
  @MethodSource("tunings")
  void aPassThatFailsAfterOthersOfItsDataWentThroughLeavesNothing(Tuning tuning) {
    try (Trained disturbed = Trained.open("models/llama-untied", tuning);
        Trained calm = Trained.open("models/llama-untied", tuning)) {
      fail(disturbed);
      for (int pass = 0; pass < 3; pass++) {
        disturbed.training.forwardBackward(GOOD, Loss.importanceSampling()).join();
        calm.training.forwardBackward(GOOD, Loss.importanceSampling()).join();
        fail(disturbed);
        assertThat(gradient(disturbed)).usingElementComparator(SAME_BITS).isEqualTo(gradient(calm));
      }
      assertThat(gradient(calm)).anySatisfy(g -> assertThat(g).isNotEqualTo(new float[g.length]));
    }
  }

  @ParameterizedTest
  @MethodSource("tunings")
  void asManyVectorsStayAsLanesAndAFurtherPassNeed(Tuning tuning) {
    try (Trained t = Trained.open("models/llama-untied", tuning)) {
      TrainableModel tuned = t.training.tuned();
      long one = tuned.parameters().size() * Float.BYTES;
      long lanes = Math.min(2, tuned.lanes());
      boolean large = GradientVectors.isLarge(tuned.adapters(), tuned.full());
      t.training.forwardBackward(GOOD, Loss.importanceSampling()).join();
      assertThat(tuned.gradients().presentBytes()).isEqualTo(lanes * one);
      for (int pass = 0; pass < 3; pass++) {
        t.training.forwardBackward(GOOD, Loss.importanceSampling()).join();
      }
      assertThat(tuned.gradients().presentBytes()).isEqualTo((large ? 1 : lanes + 1) * one);
    }
  }

  private static void fail(Trained t) {
    Batch bad = Batch.of(answer(1, 1), answer(5, 1),
        Datum.reinforcement(new int[] {1, 2}, new int[] {2, 3}, new float[] {-3e38f, -1}, new float[] {1, 1}));
    assertThatThrownBy(() -> t.training.forwardBackward(bad, Loss.importanceSampling()).join())
        .hasRootCauseInstanceOf(NumericException.class);
  }

  private static Datum answer(int first, float advantage) {
    return Datum.reinforcement(new int[] {first, 7, 3, 8}, new int[] {7, 3, 8, 2}, new float[] {-1, -2, -3, -1},
        new float[] {0, advantage, advantage, advantage});
  }

  private static List<float[]> gradient(Trained t) {
    List<float[]> out = new ArrayList<>();
    t.parameters().parameters().forEach(p -> out.add(t.gradient(p)));
    return out;
  }
}
