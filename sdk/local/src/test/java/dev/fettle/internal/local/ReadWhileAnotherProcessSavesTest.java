package dev.fettle.internal.local;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fettle.AdamW;
import dev.fettle.BaseModel;
import dev.fettle.Batch;
import dev.fettle.DType;
import dev.fettle.Datum;
import dev.fettle.Fettle;
import dev.fettle.Lora;
import dev.fettle.Loss;
import dev.fettle.Training;
import dev.fettle.internal.checkpoint.CopyLoop;
import dev.fettle.internal.checkpoint.TinyModel;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.ToDoubleFunction;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Another process saves two things in turn under one name: each reading gives one of the two. */
class ReadWhileAnotherProcessSavesTest {
  private static final int ROUNDS = Integer.getInteger("fettle.rounds", 60);
  private static final Batch BATCH = Batch.of(Datum.of(1, 2, 3, 5, 8, 13, 21));

  @TempDir Path directory;
  private final Fettle fettle = Fettle.local();

  @AfterEach
  void close() {
    fettle.close();
  }

  @Test
  void anAdapterWithItsOwnSettingsAndWeights() throws Exception {
    BaseModel model = fettle.load("fettle-tiny", DType.F32);
    trained(model, 4, 1).saveAdapter(directory.resolve("1"));
    trained(model, 16, 2).saveAdapter(directory.resolve("2"));
    eachReadingIsOneOfTwo(saved -> {
      try (Training training = model.tune(Lora.from(saved))) {
        return training.forward(BATCH, Loss.crossEntropy()).loss();
      }
    });
  }

  @Test
  void aModelWithItsOwnShapeWeightsAndTokenizer() throws Exception {
    trained(fettle.load("fettle-tiny", DType.F32), 4, 1).saveMerged(directory.resolve("1"));
    TinyModel.shard(TinyModel.write(directory.resolve("2"), "qwen3"));
    eachReadingIsOneOfTwo(saved -> {
      try (BaseModel model = fettle.load(saved, DType.F32); Training training = model.tune(Lora.rank(1))) {
        return training.forward(BATCH, Loss.crossEntropy()).loss() + 100 * model.tokenizer().vocabSize();
      }
    });
  }

  @Test
  void aStateWithItsOwnCountersWeightsAndMoments() throws Exception {
    BaseModel model = fettle.load("fettle-tiny", DType.F32);
    trained(model, 4, 1).saveState(directory.resolve("1"));
    Training second = trained(model, 16, 2);
    step(second);
    second.saveState(directory.resolve("2"));
    eachReadingIsOneOfTwo(saved -> {
      Training training = fettle.resume(saved);
      step(training);
      double result = training.forward(BATCH, Loss.crossEntropy()).loss() + 100 * training.steps();
      training.model().close();
      return result;
    });
  }

  private static Training trained(BaseModel model, int alpha, int seed) {
    Training training = model.tune(Lora.rank(4).alpha(alpha).seed(seed));
    step(training);
    return training;
  }

  private static void step(Training training) {
    training.step(BATCH, Loss.crossEntropy(), AdamW.learningRate(0.01));
  }

  private void eachReadingIsOneOfTwo(ToDoubleFunction<Path> reader) throws Exception {
    Path first = directory.resolve("1");
    Path second = directory.resolve("2");
    Set<Double> expected = new TreeSet<>(Set.of(reader.applyAsDouble(first), reader.applyAsDouble(second)));
    Set<Double> read = new TreeSet<>();
    Path target = directory.resolve("target");
    try (CopyLoop other = CopyLoop.start(target, true, first, second)) {
      for (int round = 0; round < ROUNDS || other.saves() < 20; round++) {
        read.add(reader.applyAsDouble(target));
      }
    }
    assertThat(read).isEqualTo(expected);
  }
}
