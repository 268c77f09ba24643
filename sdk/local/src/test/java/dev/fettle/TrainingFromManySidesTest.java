package dev.fettle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import dev.fettle.support.Golden;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Calls from several threads, from within a custom loss, and from a thread that was interrupted. */
class TrainingFromManySidesTest {
  private static final AdamW OPTIMIZER = AdamW.learningRate(1e-3);
  private Fettle fettle;
  private BaseModel base;

  @BeforeEach
  void open() {
    fettle = Fettle.local();
    base = fettle.load(Golden.path("models/llama"), DType.F32);
  }

  @AfterEach
  void close() {
    fettle.close();
  }

  private static CustomLoss negativeSum(Runnable first) {
    return (data, logprobs) -> {
      first.run();
      List<float[]> gradient = new ArrayList<>();
      double sum = 0;
      for (float[] p : logprobs) {
        float[] g = new float[p.length];
        for (int i = 0; i < p.length; i++) {
          sum -= p[i];
          g[i] = -1;
        }
        gradient.add(g);
      }
      return CustomLoss.Value.of(sum, gradient);
    };
  }

  @Test
  void stepsOfTwoThreadsOnOneTrainingDoNotMix() throws Exception {
    Training training = base.tune(Lora.rank(2));
    ExecutorService threads = Executors.newFixedThreadPool(4);
    try {
      List<Callable<StepResult>> work = new ArrayList<>();
      for (int i = 0; i < 100; i++) {
        int seed = i;
        work.add(() -> training.step(TrainingTest.batch(seed, 5, 3), Loss.crossEntropy(), OPTIMIZER));
      }
      List<Long> steps = new ArrayList<>();
      for (Future<StepResult> result : threads.invokeAll(work)) {
        steps.add(result.get().optim().step());
      }

      assertThat(steps).doesNotHaveDuplicates().hasSize(100);
      assertThat(training.steps()).isEqualTo(100);
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  void aCustomLossMayAskOtherModels() {
    Training training = base.tune(Lora.rank(2));
    Sampler reference = base.sampler();
    List<float[]> seen = new ArrayList<>();
    Loss loss = Loss.custom(negativeSum(() -> seen.add(reference.logprobs(1, 2, 3))));

    assertTimeoutPreemptively(Duration.ofSeconds(60),
        () -> training.step(TrainingTest.batch(1, 6), loss, OPTIMIZER));

    assertThat(seen).hasSize(1);
    assertThat(training.steps()).isEqualTo(1);
  }

  @Test
  void aCustomLossThatSpoilsTheDataOrGivesNothingIsRefused() {
    Training training = base.tune(Lora.rank(2));
    CustomLoss spoils = (data, logprobs) -> {
      data.get(0).inputs()[0] = 99_999;
      return negativeSum(() -> { }).of(data, logprobs);
    };

    assertThatThrownBy(() -> training.forwardBackward(TrainingTest.batch(1, 6), Loss.custom(spoils)))
        .isInstanceOf(InvalidInputException.class).hasMessageContaining("99999");
    assertThatThrownBy(() -> training.forwardBackward(TrainingTest.batch(1, 6), Loss.custom((data, logprobs) -> null)))
        .isInstanceOf(InvalidInputException.class).hasMessageContaining("null");
    assertThatThrownBy(() -> training.optimStep(OPTIMIZER)).isInstanceOf(InvalidInputException.class);
  }

  @Test
  void aCustomLossThatClosesItsTrainingEndsInAnError() {
    Training training = base.tune(Lora.rank(2));

    assertThatThrownBy(() -> training.forwardBackward(TrainingTest.batch(1, 6), Loss.custom(negativeSum(training::close))))
        .isInstanceOf(ClosedException.class);
  }

  @Test
  void whatFollowsAFutureMayBlock() {
    Training training = base.tune(Lora.rank(2));

    long steps = assertTimeoutPreemptively(Duration.ofSeconds(60), () -> training.async()
        .forwardBackward(TrainingTest.batch(1, 6), Loss.crossEntropy())
        .thenApply(result -> training.optimStep(OPTIMIZER).step()).get());

    assertThat(steps).isEqualTo(1);
  }

  @Test
  void closingWorksOnAnInterruptedThread() {
    Training training = base.tune(Lora.rank(2));
    Thread.currentThread().interrupt();
    try {
      fettle.close();
    } finally {
      assertThat(Thread.interrupted()).isTrue();
    }

    assertThatThrownBy(() -> training.forward(TrainingTest.batch(1, 5))).isInstanceOf(ClosedException.class);
  }

  @Test
  void aLossThatIsNotFiniteNamesTheStep() {
    Training training = base.tune(Lora.rank(2));
    training.step(TrainingTest.batch(1, 5), Loss.crossEntropy(), OPTIMIZER);
    float[] before = training.forward(TrainingTest.batch(2, 9)).logprobs().get(0);
    CustomLoss notANumber = (data, logprobs) -> CustomLoss.Value.of(Double.NaN, logprobs);
    Datum infinite = Datum.reinforcement(new int[] {1, 2}, new int[] {2, 3}, new float[] {-3e38f, -1}, new float[] {1, 1});

    assertThatThrownBy(() -> training.step(TrainingTest.batch(3, 5), Loss.custom(notANumber), OPTIMIZER))
        .isInstanceOf(NumericException.class).hasMessageContaining("step 2");
    assertThatThrownBy(() -> training.step(Batch.of(infinite), Loss.importanceSampling(), OPTIMIZER))
        .isInstanceOf(NumericException.class).hasMessageContaining("step 2").hasMessageContaining("data[0]");

    assertThat(training.steps()).isEqualTo(1);
    assertThat(training.forward(TrainingTest.batch(2, 9)).logprobs().get(0)).containsExactly(before);
    assertThatThrownBy(() -> training.optimStep(OPTIMIZER)).isInstanceOf(InvalidInputException.class);
  }
}
