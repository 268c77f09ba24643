package dev.fettle;

import static dev.fettle.support.Golden.maxDifference;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.fettle.internal.Linux;
import dev.fettle.internal.torch.Torch;
import dev.fettle.support.Golden;
import dev.fettle.support.LocalFettle;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class TrainingTest {
  private static final AdamW OPTIMIZER = AdamW.learningRate(5e-3);
  @RegisterExtension final LocalFettle local = new LocalFettle();
  private final Fettle fettle = local.fettle();

  private BaseModel base() {
    return fettle.load(Golden.path("models/qwen3"), DType.F32);
  }

  static Batch batch(long seed, int... lengths) {
    SplittableRandom random = new SplittableRandom(seed);
    List<Datum> data = new ArrayList<>();
    for (int length : lengths) {
      data.add(Datum.of(random.ints(length, 0, 60).toArray()));
    }
    return Batch.of(data);
  }

  @ParameterizedTest
  @EnumSource(DType.class)
  void trainingLowersTheLoss(DType type) {
    Training training = fettle.load(Golden.path("models/llama"), type).tune(Lora.rank(8));
    Batch batch = batch(1, 12, 20, 7);

    double before = training.forward(batch).meanLoss();
    for (int i = 0; i < 30; i++) {
      training.step(batch, Loss.crossEntropy(), OPTIMIZER);
    }

    assertThat(training.forward(batch).meanLoss()).isLessThan(0.5 * before);
    assertThat(training.steps()).isEqualTo(30);
  }

  @Test
  void theSameSeedGivesTheSameBitsTwice() {
    float[] first = run(base().tune(Lora.rank(4).dropout(0.2).seed(3)));
    float[] second = run(base().tune(Lora.rank(4).dropout(0.2).seed(3)));
    float[] other = run(base().tune(Lora.rank(4).dropout(0.2).seed(4)));

    assertThat(first).containsExactly(second);
    assertThat(first).isNotEqualTo(other);
  }

  private static float[] run(Training training) {
    for (int i = 0; i < 5; i++) {
      training.step(batch(i, 9, 15), Loss.crossEntropy(), OPTIMIZER);
    }
    return training.forward(batch(99, 20)).logprobs().get(0);
  }

  @Test
  void microBatchesAccumulateToOneBatch() {
    Training one = base().tune(Lora.rank(4));
    Training many = base().tune(Lora.rank(4));
    Batch batch = batch(7, 12, 20, 7, 31);

    LossResult whole = one.forwardBackward(batch, Loss.crossEntropy());
    double sum = 0;
    for (Datum datum : batch.data()) {
      sum += many.forwardBackward(Batch.of(datum), Loss.crossEntropy()).loss();
    }

    assertThat(sum).isCloseTo(whole.loss(), Percentage.withPercentage(1e-4));
    double norm = one.optimStep(OPTIMIZER).gradientNorm();
    assertThat(many.optimStep(OPTIMIZER).gradientNorm()).isCloseTo(norm, Percentage.withPercentage(1e-4));
    assertThat(maxDifference(many.forward(batch).logprobs().get(1), one.forward(batch).logprobs().get(1))).isLessThan(2e-4);
  }

  @Test
  void twoTrainingsOnOneModelDoNotDisturbOneAnother() {
    BaseModel base = base();
    float[] alone = run(base.tune(Lora.rank(4).seed(1)));

    Training a = base.tune(Lora.rank(4).seed(1));
    Training b = base.tune(Lora.rank(8).seed(2));
    Training c = base.tune(Full.all());
    float[] untouched = base.sampler().logprobs(1, 2, 3, 4, 5);
    for (int i = 0; i < 5; i++) {
      a.step(batch(i, 9, 15), Loss.crossEntropy(), OPTIMIZER);
      b.step(batch(i + 50, 9, 15), Loss.crossEntropy(), OPTIMIZER);
      c.step(batch(i + 70, 9, 15), Loss.crossEntropy(), OPTIMIZER);
    }

    assertThat(a.forward(batch(99, 20)).logprobs().get(0)).containsExactly(alone);
    assertThat(base.sampler().logprobs(1, 2, 3, 4, 5)).containsExactly(untouched);
  }

  @ParameterizedTest
  @org.junit.jupiter.params.provider.ValueSource(booleans = {true, false})
  void aSamplerIsASnapshot(boolean lora) {
    Training training = base().tune(lora ? Lora.rank(4) : Full.all());
    training.step(batch(1, 20), Loss.crossEntropy(), OPTIMIZER);
    Sampler sampler = training.sampler();
    float[] before = sampler.logprobs(1, 2, 3, 4, 5);
    float[] forward = training.forward(Batch.of(Datum.of(1, 2, 3, 4, 5))).logprobs().get(0);

    training.step(batch(2, 20), Loss.crossEntropy(), OPTIMIZER);

    assertThat(maxDifference(before, forward)).isLessThan(1e-4);
    assertThat(sampler.logprobs(1, 2, 3, 4, 5)).containsExactly(before);
    assertThat(training.sampler().logprobs(1, 2, 3, 4, 5)).isNotEqualTo(before);
  }

  @Test
  void aCustomLossThatIsCrossEntropyTrainsAsCrossEntropy() {
    Training custom = base().tune(Lora.rank(4));
    Training standard = base().tune(Lora.rank(4));
    Batch batch = batch(3, 14, 9);
    CustomLoss negativeSum = (data, logprobs) -> {
      double sum = 0;
      List<float[]> gradient = new ArrayList<>();
      for (float[] p : logprobs) {
        float[] g = new float[p.length];
        for (int i = 0; i < p.length; i++) {
          sum -= p[i];
          g[i] = -1;
        }
        gradient.add(g);
      }
      return new CustomLoss.Value(sum, gradient, Map.of("mine", 7.0));
    };

    LossResult result = custom.forwardBackward(batch, Loss.custom(negativeSum));

    assertThat(result.loss()).isCloseTo(standard.forwardBackward(batch, Loss.crossEntropy()).loss(), within(1e-3));
    assertThat(result.metrics()).containsEntry("mine", 7.0);
    assertThat(custom.optimStep(OPTIMIZER).gradientNorm())
        .isCloseTo(standard.optimStep(OPTIMIZER).gradientNorm(), Percentage.withPercentage(1e-3));
  }

  @Test
  void aFailedPassLeavesTheGradientAsItWas() {
    Training disturbed = base().tune(Lora.rank(4));
    Training calm = base().tune(Lora.rank(4));
    Batch good = batch(1, 10);
    Batch overflow = Batch.of(Datum.of(new int[] {1, 2, 3}, new float[] {0, 3e38f, 3e38f}));
    disturbed.forwardBackward(good, Loss.crossEntropy());
    calm.forwardBackward(good, Loss.crossEntropy());

    assertThatThrownBy(() -> disturbed.forwardBackward(overflow, Loss.importanceSampling()))
        .isInstanceOf(InvalidInputException.class).hasMessageContaining("data[0]");
    Datum infinite = Datum.reinforcement(new int[] {1, 2}, new int[] {2, 3}, new float[] {-3e38f, -1}, new float[] {1, 1});
    assertThatThrownBy(() -> disturbed.forwardBackward(Batch.of(infinite), Loss.importanceSampling()))
        .isInstanceOf(NumericException.class).hasMessageContaining("position 0 of data[0]");

    assertThat(disturbed.optimStep(OPTIMIZER).gradientNorm()).isEqualTo(calm.optimStep(OPTIMIZER).gradientNorm());
  }

  @Test
  void aGradientThatIsNotFiniteIsDroppedAndNothingElseChanges() {
    Training training = base().tune(Lora.rank(4));
    training.step(batch(1, 10), Loss.crossEntropy(), OPTIMIZER);
    float[] before = training.forward(batch(5, 20)).logprobs().get(0);
    training.forwardBackward(Batch.of(Datum.of(new int[] {1, 2}, new float[] {0, 3e38f})), Loss.crossEntropy());

    assertThatThrownBy(() -> training.optimStep(OPTIMIZER)).isInstanceOf(NumericException.class)
        .hasMessageContaining("step 2");

    assertThat(training.forward(batch(5, 20)).logprobs().get(0)).containsExactly(before);
    assertThat(training.steps()).isEqualTo(1);
    training.step(batch(2, 10), Loss.crossEntropy(), OPTIMIZER);
  }

  @Test
  void badBatchesAreRefusedByName() {
    Training training = base().tune(Lora.rank(4));

    assertThatThrownBy(() -> Batch.of(List.of())).isInstanceOf(InvalidInputException.class);
    assertThatThrownBy(() -> training.forwardBackward(Batch.of(Datum.of(1, 2, 4000)), Loss.crossEntropy()))
        .isInstanceOf(InvalidInputException.class).hasMessageContaining("data[0].targets[1] = 4000");
    assertThatThrownBy(() -> training.forwardBackward(
        Batch.of(Datum.of(new int[] {1, 2, 3}, new float[3])), Loss.crossEntropy()))
        .isInstanceOf(InvalidInputException.class).hasMessageContaining("all weights of the batch are zero");
    assertThatThrownBy(() -> Datum.of(new int[] {1, 2}, new float[] {0, Float.NaN}))
        .isInstanceOf(InvalidInputException.class).hasMessageContaining("weights[0] = NaN");
    assertThatThrownBy(() -> training.forwardBackward(batch(1, training.model().contextLength() + 2), Loss.crossEntropy()))
        .isInstanceOf(InvalidInputException.class).hasMessageContaining("context");
    assertThatThrownBy(() -> training.optimStep(OPTIMIZER)).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("forwardBackward first");
  }

  @Test
  void badTuningsAreRefusedByName() {
    BaseModel base = base();

    assertThatThrownBy(() -> Lora.rank(0)).isInstanceOf(InvalidInputException.class).hasMessageContaining("rank 0");
    assertThatThrownBy(() -> base.tune(Lora.rank(4).targetModules(Modules.named("query_projection"))))
        .isInstanceOf(InvalidInputException.class).hasMessageContaining("query_projection");
    assertThatThrownBy(() -> base.tune(Lora.rank(4).targetModules(Modules.layers(7, 9))))
        .isInstanceOf(InvalidInputException.class).hasMessageContaining("layers(7, 9)");
    assertThatThrownBy(() -> base.tune(Lora.rank(Integer.MAX_VALUE).targetModules(Modules.named("q_proj"), Modules.named("k_proj"))))
        .isInstanceOf(NotEnoughMemoryException.class).hasMessageContaining("GiB");
    assertThatThrownBy(() -> base.tune(Lora.rank(4).rankPattern("nothing", 2)))
        .isInstanceOf(InvalidInputException.class).hasMessageContaining("nothing");
  }

  @Test
  void closedObjectsSaySo() {
    BaseModel base = base();
    Training training = base.tune(Lora.rank(4));
    Sampler sampler = training.sampler();
    fettle.close();

    assertThatThrownBy(() -> training.forward(batch(1, 5))).isInstanceOf(ClosedException.class);
    assertThatThrownBy(() -> sampler.logprobs(1, 2)).isInstanceOf(ClosedException.class);
    assertThatThrownBy(base::sampler).isInstanceOf(ClosedException.class);
    assertThatThrownBy(() -> fettle.load(Golden.path("models/llama"))).isInstanceOf(ClosedException.class);
    training.close();
    fettle.close();
  }

  @Test
  void aThousandStepsLeaveNoHandleBehind() {
    Training training = fettle.load(Golden.path("models/llama"), DType.F32).tune(Lora.rank(2));
    for (int i = 0; i < 10; i++) {
      training.step(batch(i, 5, 9), Loss.crossEntropy(), OPTIMIZER);
    }
    // Keeps the form in which the base's weights are decoded.
    try (Sampler sampler = training.sampler()) {
      sampler.sample(new int[] {1, 2}, SamplingParams.greedy().maxTokens(5));
    }
    long handles = Torch.liveHandles();
    long resident = resident();
    for (int i = 0; i < 1000; i++) {
      training.step(batch(i, 5, 9), Loss.crossEntropy(), OPTIMIZER);
      if (i % 100 == 0) {
        try (Sampler sampler = training.sampler()) {
          sampler.sample(new int[] {1, 2}, SamplingParams.greedy().maxTokens(5));
        }
      }
    }

    assertThat(Torch.liveHandles()).isEqualTo(handles);
    assertThat(resident() - resident).isLessThan(64 << 20);
  }

  private static long resident() {
    System.gc();
    return Linux.HERE.residentBytes().orElse(0);
  }

  @Test
  void theTrainableTableCountsWhatIsTrained() {
    Trainable trainable = base().tune(Lora.rank(4).targetModules(Modules.attention())).trainable();

    assertThat(trainable.rows()).extracting(Trainable.Row::name)
        .containsExactly("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj");
    assertThat(trainable.rows().stream().mapToLong(Trainable.Row::parameters).sum()).isEqualTo(trainable.trained());
    assertThat(trainable.table()).contains("LoRA, rank 4").contains("% of the model");
    assertThat(trainable.table().lines()).allMatch(line -> line.length() <= 60, "fits 60 columns");
    assertThat(base().tune(Full.all()).trainable().share()).isEqualTo(1.0);
  }
}
