package dev.fettle.internal.local;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fettle.Batch;
import dev.fettle.Datum;
import dev.fettle.Full;
import dev.fettle.Lora;
import dev.fettle.Loss;
import dev.fettle.Tuning;
import dev.fettle.internal.local.GradientsTest.Trained;
import dev.fettle.internal.torch.Torch;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Supplier;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** How many lanes there are, and what they leave to operations. */
class DataParallelTest {
  private static final long MIB = 1L << 20;

  static List<Tuning> tunings() {
    return List.of(Lora.rank(4), Lora.rank(2).plus(Full.of(dev.fettle.Modules.norms())), Full.all());
  }

  @Test
  void gradientsOfAllLanesButTheFirstTakeAGibibyteAtMost() {
    assertThat(DataParallel.most(MIB, 2)).isEqualTo(2);
    assertThat(DataParallel.most(300 * MIB, 2)).isEqualTo(2);
    assertThat(DataParallel.most(300 * MIB, 16)).isEqualTo(4);
    assertThat(DataParallel.most(300 * MIB, 64)).isEqualTo(4);
    assertThat(DataParallel.most(1024 * MIB, 64)).isEqualTo(2);
    assertThat(DataParallel.most(1025 * MIB, 64)).isEqualTo(1);
    assertThat(DataParallel.most(0, 64)).isEqualTo(64);
  }

  @Test
  void threadsBeyondTheLanesAreSharedOutAmongOperations() {
    with(7, () -> {
      Integer[] threads = new Integer[3];
      DataParallel.run(3, lane -> threads[lane] = Torch.get().threads());
      assertThat(threads).containsOnly(2);
      assertThat(Torch.get().threads()).isEqualTo(7);
      DataParallel.run(1, lane -> threads[lane] = Torch.get().threads());
      assertThat(threads[0]).isEqualTo(7);
      return null;
    });
  }

  @ParameterizedTest
  @MethodSource("tunings")
  void manyLanesGiveOneGradientAndTheSameEachTime(Tuning tuning) {
    List<Float> one = gradient(tuning, 1);
    List<Float> many = gradient(tuning, 6);

    assertThat(gradient(tuning, 6)).isEqualTo(many);
    assertThat(norm(many)).isCloseTo(norm(one), Percentage.withPercentage(1e-3));
    double difference = 0;
    for (int i = 0; i < one.size(); i++) {
      difference = Math.max(difference, Math.abs(one.get(i) - many.get(i)));
    }
    assertThat(difference).isLessThan(1e-5 * norm(one));
  }

  /** Two passes, of five and of seven sequences. */
  private static List<Float> gradient(Tuning tuning, int threads) {
    try (Trained t = Trained.open("models/qwen3", tuning)) {
      return with(threads, () -> {
        t.training.forwardBackward(batch(5), Loss.crossEntropy()).join();
        t.training.forwardBackward(batch(7), Loss.crossEntropy()).join();
        List<Float> all = new ArrayList<>();
        for (GradientVectors.Piece piece : t.training.tuned().gradients().pieces()) {
          for (float g : piece.values().floats()) {
            all.add(g);
          }
        }
        return all;
      });
    }
  }

  private static Batch batch(int size) {
    SplittableRandom random = new SplittableRandom(size);
    return Batch.of(random.ints(size, 4, 20).mapToObj(length -> Datum.of(random.ints(length, 0, 80).toArray())).toList());
  }

  private static double norm(List<Float> values) {
    return Math.sqrt(values.stream().mapToDouble(v -> v * (double) v).sum());
  }

  private static <T> T with(int threads, Supplier<T> work) {
    return EngineThread.get().call(() -> {
      int before = Torch.get().threads();
      Torch.get().threads(threads);
      try {
        return work.get();
      } finally {
        Torch.get().threads(before);
      }
    });
  }
}
