package dev.fettle.internal.remote;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.fettle.AdamW;
import dev.fettle.Batch;
import dev.fettle.CustomLoss;
import dev.fettle.DataPosition;
import dev.fettle.Datum;
import dev.fettle.InvalidInputException;
import dev.fettle.Lora;
import dev.fettle.Loss;
import dev.fettle.LossResult;
import dev.fettle.Sample;
import dev.fettle.SamplingParams;
import dev.fettle.StepResult;
import dev.fettle.internal.Backend;
import dev.fettle.internal.Futures;
import dev.fettle.internal.ModelBackend;
import dev.fettle.internal.SamplerBackend;
import dev.fettle.internal.TrainingBackend;
import dev.fettle.internal.wire.Paths;
import dev.fettle.internal.wire.Sessions;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class RemoteTrainingTest {
  static final Batch BATCH = Batch.of(Datum.of(1, 2, 3, 4), Datum.of(5, 6));
  static final AdamW ADAM = AdamW.learningRate(1e-3);

  private static TrainingBackend tune(RemoteBackend client) {
    return client.load("fettle-tiny", Optional.empty()).tune(Lora.rank(8));
  }

  @ParameterizedTest
  @EnumSource
  void trainsOnEveryKindOfService(FakeService.Kind kind) {
    try (FakeService service = new FakeService(kind); RemoteBackend client = service.client()) {
      TrainingBackend training = tune(client);
      assertThat(service.model().config.rank()).isEqualTo(8);
      assertThat(service.model().config.trainUnembed()).isFalse();

      LossResult forward = Futures.join(training.forward(BATCH, Loss.crossEntropy()));
      assertThat(forward.loss()).isCloseTo(0.4, within(1e-6));
      assertThat(forward.weight()).isEqualTo(4);
      assertThat(forward.metrics()).containsKey("loss:sum");
      assertThat(forward.logprobs()).extracting(l -> l.length).containsExactly(3, 1);
      assertThat(service.model().passes).isZero();

      StepResult step = Futures.join(training.step(BATCH, Loss.crossEntropy(), ADAM));
      assertThat(step.optim().step()).isEqualTo(1);
      assertThat(step.optim().gradientNorm()).isEqualTo(0.5);
      assertThat(training.steps()).isEqualTo(1);

      LossResult second = Futures.join(training.forwardBackward(BATCH, Loss.crossEntropy()));
      assertThat(second.loss()).isCloseTo(0.44, within(1e-6));
      assertThat(Futures.join(training.optimStep(ADAM)).step()).isEqualTo(2);
      assertThat(service.model().order).containsExactly("forward 1", "pass 2", "step", "pass 4", "step");
    }
  }

  @Test
  void aServiceThatWantsJsonIsAskedOnceForProtobuf() {
    try (FakeService service = new FakeService(FakeService.Kind.JSON); RemoteBackend client = service.client()) {
      TrainingBackend training = tune(client);
      for (int i = 0; i < 3; i++) {
        Futures.join(training.step(BATCH, Loss.crossEntropy(), ADAM));
      }
      assertThat(service.requests(Paths.FORWARD_BACKWARD)).extracting(r -> r.getHeaders().get("Content-Type"))
          .containsExactly(Paths.PROTOBUF, Paths.JSON, Paths.JSON, Paths.JSON);
      assertThat(service.model().requests.keySet()).containsExactly(1, 2, 3, 4, 5, 6);
    }
  }

  @Test
  void aStepIsSubmittedWholeBeforeAnyResultIsThere() {
    try (FakeService service = new FakeService(FakeService.Kind.HOSTED); RemoteBackend client = service.client()) {
      TrainingBackend training = tune(client);
      service.change(Paths.RETRIEVE, 1000, r -> service.model().steps == 0
          ? FakeService.json(dev.fettle.internal.wire.RequestFutures.Pending.of("1", "active", null)) : r);
      assertThat(Futures.join(training.step(BATCH, Loss.crossEntropy(), ADAM)).optim().step()).isEqualTo(1);
    }
  }

  @Test
  void futuresAreCarriedOutInTheirOrder() {
    try (FakeService service = new FakeService(FakeService.Kind.SKYRL); RemoteBackend client = service.client()) {
      TrainingBackend training = tune(client);
      List<CompletableFuture<?>> all = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        all.add(training.forwardBackward(BATCH, Loss.crossEntropy()));
        all.add(training.optimStep(ADAM));
      }
      all.forEach(Futures::join);
      List<String> expected = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        expected.addAll(List.of("pass " + (2 * i + 1), "step"));
      }
      assertThat(service.model().order).isEqualTo(expected);
    }
  }

  @Test
  void largeBatchesGoInPartsTheFirstLastAndComeBackTogether() {
    try (FakeService service = new FakeService(FakeService.Kind.HOSTED); RemoteBackend client = service.client()) {
      service.config = new Sessions.Config(null, null, null, 2, null, null, null, null, null, null, null);
      TrainingBackend training = tune(client);
      Batch batch = Batch.of(Collections.nCopies(5, Datum.of(1, 2, 3)));
      StepResult result = Futures.join(training.step(batch, Loss.crossEntropy(), ADAM));
      assertThat(result.loss().loss()).isCloseTo(1.0, within(1e-5));
      assertThat(result.loss().logprobs()).hasSize(5);
      assertThat(service.model().data).isEqualTo(5);
      assertThat(service.model().order).containsExactlyInAnyOrder("pass 1", "pass 2", "pass 3", "step");
      assertThat(service.model().order.get(2)).isEqualTo("pass 1");
      assertThat(service.model().order.get(3)).isEqualTo("step");
    }
  }

  @Test
  void lossesAreAskedForByTheirNamesAndThresholds() {
    try (FakeService service = new FakeService(FakeService.Kind.JSON); RemoteBackend client = service.client()) {
      TrainingBackend training = tune(client);
      Batch batch = Batch.of(Datum.reinforcement(new int[] {1, 2}, new int[] {2, 3}, new float[] {0, -0.1f},
          new float[] {0, 2}));
      LossResult result = Futures.join(training.forwardBackward(batch, Loss.ppo(0.7, 1.3)));
      // exp(-0.1 + 0.1) = 1, times the advantage 2
      assertThat(result.loss()).isCloseTo(-2, within(1e-6));
      assertThat(result.weight()).isEqualTo(1);
      String body = FakeService.text(service.requests(Paths.FORWARD_BACKWARD).get(1));
      assertThat(body).contains("\"loss_fn\":\"ppo\"").contains("\"clip_low_threshold\":0.7").contains("\"advantages\"")
          .contains("\"clip_high_threshold\":1.3");
    }
  }

  @Test
  void aCustomLossGoesBackwardAsACrossEntropy() {
    try (FakeService service = new FakeService(FakeService.Kind.JSON); RemoteBackend client = service.client()) {
      TrainingBackend training = tune(client);
      Loss loss = Loss.custom((data, logprobs) -> new CustomLoss.Value(7,
          logprobs.stream().map(l -> new float[l.length]).peek(g -> g[0] = 0.5f).toList(), Map.of("mine", 1.0)));
      StepResult result = Futures.join(training.step(BATCH, loss, ADAM));
      assertThat(result.loss().loss()).isEqualTo(7);
      assertThat(result.loss().metrics()).containsEntry("mine", 1.0).containsEntry("loss:sum", 7.0);
      assertThat(service.model().order).containsExactly("forward 1", "pass 2", "step");
      assertThat(FakeService.text(service.requests(Paths.FORWARD_BACKWARD).get(1))).contains("-0.5");
    }
  }

  @ParameterizedTest
  @EnumSource
  void aSavedStateIsResumed(FakeService.Kind kind, @TempDir Path directory) {
    Path state = directory.resolve("state");
    DataPosition position = new DataPosition(3, 4, 5, "0123456789abcdef");
    try (FakeService service = new FakeService(kind); RemoteBackend client = service.client()) {
      TrainingBackend training = tune(client);
      Futures.join(training.step(BATCH, Loss.crossEntropy(), ADAM));
      Futures.join(training.saveState(state, Optional.of(position)));
      Futures.join(training.step(BATCH, Loss.crossEntropy(), ADAM));

      Futures.join(training.loadState(state));
      assertThat(training.steps()).isEqualTo(1);
      assertThat(Futures.join(training.forward(BATCH, Loss.crossEntropy())).loss()).isCloseTo(0.44, within(1e-6));

      try (RemoteBackend other = service.client()) {
        Backend.Resumed resumed = other.resume(state);
        assertThat(resumed.model().name()).isEqualTo("fettle-tiny");
        assertThat(resumed.training().steps()).isEqualTo(1);
        assertThat(resumed.training().dataPosition()).contains(position);
        assertThat(resumed.training().tuning()).hasToString(Lora.rank(8).toString());
        Futures.join(resumed.training().step(BATCH, Loss.crossEntropy(), ADAM));
        assertThat(resumed.training().steps()).isEqualTo(2);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void samplesAndScores(FakeService.Kind kind) {
    try (FakeService service = new FakeService(kind); RemoteBackend client = service.client()) {
      ModelBackend model = client.load("fettle-tiny", Optional.empty());
      SamplerBackend base = model.sampler();
      SamplerBackend tuned = Futures.join(model.tune(Lora.rank(8)).sampler());
      for (SamplerBackend sampler : List.of(base, tuned)) {
        List<int[]> prompts = new ArrayList<>();
        for (int i = 1; i <= 50; i++) {
          prompts.add(new int[i]);
        }
        var samples = Futures.join(sampler.sample(prompts, SamplingParams.standard().maxTokens(3).samples(2)));
        assertThat(samples).hasSize(50);
        for (int i = 0; i < 50; i++) {
          assertThat(samples.get(i)).hasSize(2);
          assertThat(samples.get(i).get(1).tokens()).containsExactly(61 + i, 61 + i, 61 + i);
        }
        assertThat(Futures.join(sampler.logprobs(List.of(new int[] {7, 8, 9}, new int[] {7}))))
            .satisfies(l -> assertThat(l.get(0)).containsExactly(-0.25f, -0.5f), l -> assertThat(l.get(1)).isEmpty());
      }
    }
  }

  @Test
  void samplesAreCutWhereTheyEnd() {
    try (FakeService service = new FakeService(FakeService.Kind.HOSTED); RemoteBackend client = service.client()) {
      SamplerBackend sampler = client.load("fettle-tiny", Optional.empty()).sampler();
      SamplingParams params = SamplingParams.greedy().maxTokens(5);
      var whole = Futures.join(sampler.sample(List.of(new int[5]), params)).get(0).get(0);
      assertThat(whole.tokens()).hasSize(5);
      var byToken = Futures.join(sampler.sample(List.of(new int[5]), params.stopTokens(65))).get(0).get(0);
      assertThat(byToken.tokens()).containsExactly(65);
      assertThat(byToken.text()).isEmpty();
      assertThat(byToken.stopReason()).isEqualTo(dev.fettle.Sample.StopReason.STOP);
      String letter = whole.text().substring(0, 1);
      var byText = Futures.join(sampler.sample(List.of(new int[5]), params.stop(letter))).get(0).get(0);
      assertThat(byText.text()).isEmpty();
      List<Integer> streamed = new ArrayList<>();
      sampler.stream(new int[5], params).forEachRemaining(t -> streamed.add(t.id()));
      assertThat(streamed).containsExactly(65, 65, 65, 65, 65);
    }
  }

  @Test
  void whatCannotBeTrainedIsRefusedBeforeItIsSent() {
    try (FakeService service = new FakeService(FakeService.Kind.HOSTED); RemoteBackend client = service.client()) {
      TrainingBackend training = tune(client);
      int before = service.requests.size();
      assertThatThrownBy(() -> training.forward(Batch.of(Datum.of(new int[600])), Loss.crossEntropy()))
          .isInstanceOf(InvalidInputException.class).hasMessageContaining("512");
      assertThatThrownBy(() -> training.forward(Batch.of(Datum.of(1, 99999999)), Loss.crossEntropy()))
          .isInstanceOf(InvalidInputException.class).hasMessageContaining("vocabulary");
      assertThatThrownBy(() -> training.forwardBackward(BATCH, Loss.ppo())).isInstanceOf(InvalidInputException.class);
      assertThatThrownBy(() -> Futures.join(training.optimStep(ADAM))).isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("forwardBackward first");
      assertThat(service.requests.stream().skip(before).map(r -> r.getUrl().encodedPath()))
          .allMatch(p -> p.endsWith(Paths.HEARTBEAT));
    }
  }

  @Test
  void noMoreIsAskedForThanTheContextHasRoomFor() {
    try (FakeService service = new FakeService(FakeService.Kind.HOSTED); RemoteBackend client = service.client()) {
      SamplerBackend sampler = client.load("fettle-tiny", Optional.empty()).sampler();
      SamplingParams params = SamplingParams.greedy().maxTokens(64);

      var samples = Futures.join(sampler.sample(List.of(new int[4], new int[500]), params));

      assertThat(samples).extracting(s -> s.get(0).tokens().length).containsExactly(64, 12);
      assertThat(samples.get(1).get(0).stopReason()).isEqualTo(Sample.StopReason.LENGTH);
      assertThat(service.requests(Paths.SAMPLE)).extracting(FakeService::text).filteredOn(t -> t.contains("\"max_tokens\":64"))
          .hasSize(1);
      var tokens = sampler.stream(new int[511], params);
      tokens.next();
      assertThat(tokens.hasNext()).isFalse();
    }
  }
}
