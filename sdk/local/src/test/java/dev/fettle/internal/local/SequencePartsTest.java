package dev.fettle.internal.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.assertj.core.data.Offset.offset;

import dev.fettle.Batch;
import dev.fettle.Datum;
import dev.fettle.Full;
import dev.fettle.Lora;
import dev.fettle.Loss;
import dev.fettle.LossResult;
import dev.fettle.NumericException;
import dev.fettle.Tuning;
import dev.fettle.internal.local.GradientsTest.Trained;
import dev.fettle.internal.model.ModelConfig;
import dev.fettle.internal.network.SequenceParts;
import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Torch;
import dev.fettle.support.Golden;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A sequence whose rows several lanes share gives what it gives as a whole: loss, logprobs, gradient. */
class SequencePartsTest {
  private static final Batch ONE = Batch.of(Datum.of(new Random(1).ints(21, 1, 60).toArray()));

  record Result(LossResult loss, List<float[]> gradient) {}

  static List<String> families() throws IOException {
    return FamiliesTest.families();
  }

  @ParameterizedTest
  @MethodSource("families")
  void partsGiveTheGradientOfTheWhole(String name) {
    for (Tuning tuning : List.of(Lora.from(Golden.path("families/" + name + "/lora")), Full.all())) {
      Result whole = pass(name, ONE, tuning, 1, false);
      for (boolean sparing : new boolean[] {false, true}) {
        for (int lanes : new int[] {2, 3}) {
          compare(pass(name, ONE, tuning, lanes, sparing), whole);
        }
      }
    }
  }

  @Test
  void eachOfSeveralSequencesHasPartsAndAPartMayHaveNothingInTheLoss() {
    int[] tokens = new Random(2).ints(25, 1, 60).toArray();
    float[] weights = new float[tokens.length];
    Arrays.fill(weights, weights.length - 2, weights.length, 0.5f);
    Batch batch = Batch.of(Datum.of(3, 1, 4), Datum.of(tokens, weights), ONE.data().get(0));
    Tuning tuning = Lora.from(Golden.path("families/gemma3/lora"));

    compare(pass("gemma3", batch, tuning, 7, false), pass("gemma3", batch, tuning, 1, false));
  }

  @Test
  void aPartThatFailsEndsThePassWithItsError() {
    float[] sampled = new float[24];
    sampled[2] = -1e6f;
    float[] ones = new float[24];
    Arrays.fill(ones, 1);
    Batch batch = Batch.of(Datum.reinforcement(new int[24], new int[24], sampled, ones));
    Tuning tuning = Lora.from(Golden.path("families/gemma3/lora"));

    assertThatThrownBy(() -> pass("gemma3", batch, Loss.importanceSampling(), tuning, 3, false)).isInstanceOf(NumericException.class)
        .hasMessageContaining("position 2 of data[0]");
  }

  @Test
  void partsLeaveNothingBehind() {
    Tuning tuning = Lora.from(Golden.path("families/gemma3/lora"));
    try (Trained t = Trained.open("families/gemma3", tuning)) {
      EngineThread.get().run(() -> {
        MemoryPlanner memory = new MemoryPlanner(t.model.layout(), NumberType.F32, t.model.blocks(), true);
        TokenPass pass = new TokenPass(t.model.network(), t.training.tuned(), memory, 3, 3);
        pass.forwardBackward(ONE, Loss.crossEntropy(), false, 0);
        pass.forwardBackward(ONE, Loss.crossEntropy(), true, 0);
        long before = Torch.liveHandles();
        for (int i = 1; i < 5; i++) {
          pass.forwardBackward(ONE, Loss.crossEntropy(), true, i);
          pass.forward(ONE, Loss.crossEntropy());
        }
        assertThat(Torch.liveHandles()).isEqualTo(before);
      });
    }
  }

  @Test
  void laterPartsAreShorterAsTheirRowsAttendToMore() {
    try (Trained t = Trained.open("families/gemma2", Lora.rank(2))) {
      ModelConfig config = t.model.config();

      assertThat(SequenceParts.cuts(config, 255, 2, 128)).containsExactly(0, 255);
      assertThat(SequenceParts.cuts(config, 8192, 8, 128)).hasSize(9).startsWith(0).endsWith(8192).satisfies(cuts -> {
        for (int i = 2; i < cuts.length; i++) {
          assertThat(cuts[i] - cuts[i - 1]).isPositive().isLessThanOrEqualTo(cuts[1]);
        }
      });
    }
  }

  private static void compare(Result parts, Result whole) {
    assertThat(parts.loss.loss()).isCloseTo(whole.loss.loss(), offset(1e-4));
    for (int i = 0; i < whole.loss.logprobs().size(); i++) {
      assertThat(Golden.maxDifference(parts.loss.logprobs().get(i), whole.loss.logprobs().get(i))).isLessThan(1e-4);
    }
    assertThat(parts.gradient).hasSameSizeAs(whole.gradient);
    for (int i = 0; i < whole.gradient.size(); i++) {
      double largest = 0;
      for (float g : whole.gradient.get(i)) {
        largest = Math.max(largest, Math.abs(g));
      }
      assertThat(largest).isPositive();
      assertThat(Golden.maxDifference(parts.gradient.get(i), whole.gradient.get(i))).isLessThan(2e-5 * Math.max(1, largest));
    }
  }

  private static Result pass(String name, Batch batch, Tuning tuning, int lanes, boolean sparing) {
    return pass(name, batch, Loss.crossEntropy(), tuning, lanes, sparing);
  }

  private static Result pass(String name, Batch batch, Loss function, Tuning tuning, int lanes, boolean sparing) {
    try (Trained t = Trained.open("families/" + name, tuning)) {
      return EngineThread.get().call(() -> {
        assumeThat(SequenceParts.canCut(t.model.config())).as("what a token sees ends with it").isTrue();
        TrainableModel tuned = t.training.tuned();
        MemoryPlanner memory = new MemoryPlanner(t.model.layout(), NumberType.F32, t.model.blocks(), sparing);
        TokenPass pass = new TokenPass(t.model.network(), tuned, memory, lanes, 3);
        LossResult loss = pass.forwardBackward(batch, function, false, 0);
        LossResult forward = pass.forward(batch, function);
        for (int i = 0; i < batch.size(); i++) {
          int last = forward.logprobs().get(i).length - 1;
          assertThat(forward.logprobs().get(i)[last]).isCloseTo(loss.logprobs().get(i)[last], offset(1e-4f));
        }
        return new Result(loss, tuned.gradients().pieces().stream().map(piece -> piece.values().floats()).toList());
      });
    }
  }
}
