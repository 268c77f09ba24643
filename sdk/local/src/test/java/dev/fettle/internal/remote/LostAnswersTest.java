package dev.fettle.internal.remote;

import static dev.fettle.internal.remote.RemoteTrainingTest.ADAM;
import static dev.fettle.internal.remote.RemoteTrainingTest.BATCH;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.fettle.Lora;
import dev.fettle.Loss;
import dev.fettle.LossResult;
import dev.fettle.SamplingParams;
import dev.fettle.internal.Futures;
import dev.fettle.internal.ModelBackend;
import dev.fettle.internal.SamplerBackend;
import dev.fettle.internal.TrainingBackend;
import dev.fettle.internal.wire.Paths;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The service acts, and its answer is lost: whatever the verb, what was asked for once takes effect once. */
class LostAnswersTest {
  private static final List<String> VERBS = List.of(Paths.CLIENT_CONFIG, Paths.CAPABILITIES, Paths.CREATE_SESSION,
      Paths.CREATE_MODEL, Paths.GET_INFO, Paths.FORWARD_BACKWARD, Paths.OPTIM_STEP, Paths.SAVE_WEIGHTS,
      Paths.LOAD_WEIGHTS, Paths.SAVE_FOR_SAMPLER, Paths.SAMPLE, Paths.RETRIEVE, Paths.CREATE_SAMPLING_SESSION);

  @TempDir
  private Path directory;

  static List<Arguments> verbs() {
    List<Arguments> out = new ArrayList<>();
    for (FakeService.Kind kind : FakeService.Kind.values()) {
      VERBS.forEach(verb -> out.add(Arguments.of(kind, verb)));
    }
    return out;
  }

  @ParameterizedTest
  @MethodSource("verbs")
  void cutAfterActing(FakeService.Kind kind, String verb) {
    check(kind, service -> service.cutAfter(verb, 1));
  }

  @ParameterizedTest
  @MethodSource("verbs")
  void cutTwice(FakeService.Kind kind, String verb) {
    check(kind, service -> service.cutAfter(verb, 2));
  }

  @ParameterizedTest
  @MethodSource("verbs")
  void cutWithinTheAnswer(FakeService.Kind kind, String verb) {
    check(kind, service -> service.halfAnswer(verb, 1));
  }

  @ParameterizedTest
  @MethodSource("verbs")
  void cutBeforeActing(FakeService.Kind kind, String verb) {
    check(kind, service -> service.cutBefore(verb, 1));
  }

  @ParameterizedTest
  @MethodSource("verbs")
  void failingFirst(FakeService.Kind kind, String verb) {
    check(kind, service -> service.instead(verb, 2, 503, "{\"detail\":\"overloaded\"}"));
  }

  private void check(FakeService.Kind kind, java.util.function.Consumer<FakeService> fault) {
    try (FakeService service = new FakeService(kind); RemoteBackend client = service.client()) {
      fault.accept(service);
      ModelBackend model = client.load("fettle-tiny", Optional.empty());
      TrainingBackend training = model.tune(Lora.rank(8));
      for (int i = 0; i < 2; i++) {
        Futures.join(training.step(BATCH, Loss.crossEntropy(), ADAM));
      }
      FakeService.Model trained = service.models.values().stream().filter(m -> m.passes > 0).findFirst().orElseThrow();
      assertThat(trained.passes).isEqualTo(2);
      assertThat(trained.steps).isEqualTo(2);
      assertThat(training.steps()).isEqualTo(2);
      LossResult loss = Futures.join(training.forward(BATCH, Loss.crossEntropy()));
      assertThat(loss.loss()).isCloseTo(0.48, within(1e-6));

      Futures.join(training.saveState(directory.resolve("state"), Optional.empty()));
      assertThat(service.saved).hasSize(1);
      Futures.join(training.step(BATCH, Loss.crossEntropy(), ADAM));
      Futures.join(training.loadState(directory.resolve("state")));
      assertThat(Futures.join(training.forward(BATCH, Loss.crossEntropy())).loss()).isCloseTo(0.48, within(1e-6));
      assertThat(service.models.values()).allMatch(m -> m.loads <= 1);

      for (SamplerBackend sampler : List.of(Futures.join(training.sampler()), model.sampler())) {
        var samples = Futures.join(sampler.sample(List.of(new int[4]), SamplingParams.greedy().maxTokens(2)));
        assertThat(samples.get(0).get(0).tokens()).containsExactly(64, 64);
      }
      assertThat(service.faultsAreUsedUp()).isTrue();
    }
  }

  @Test
  void deletingAndExpiringOnce() {
    List<BiConsumer<RemoteCheckpoints, String>> verbs = List.of(
        RemoteCheckpoints::delete, (checkpoints, path) -> checkpoints.expire(path, Optional.empty()));
    for (int i = 0; i < verbs.size(); i++) {
      try (FakeService service = new FakeService(FakeService.Kind.HOSTED); RemoteBackend client = service.client()) {
        TrainingBackend training = client.load("fettle-tiny", Optional.empty()).tune(Lora.rank(8));
        Futures.join(training.saveState(directory.resolve("state"), Optional.empty()));
        String path = client.checkpoints().list().get(0).path();
        String resource = Paths.TRAINING_RUNS + "/" + path.substring("tinker://".length()).replace("/weights", "/checkpoints/weights");
        service.cutAfter(i == 0 ? resource : resource + "/ttl", 1);
        verbs.get(i).accept(client.checkpoints(), path);
        assertThat(client.checkpoints().list()).hasSize(i);
        assertThat(service.requests(i == 0 ? resource : resource + "/ttl")).hasSize(2);
      }
    }
  }
}
