package dev.fettle.internal.remote;

import static dev.fettle.internal.remote.RemoteTrainingTest.ADAM;
import static dev.fettle.internal.remote.RemoteTrainingTest.BATCH;
import static org.assertj.core.api.Assertions.assertThat;

import dev.fettle.Lora;
import dev.fettle.Loss;
import dev.fettle.SamplingParams;
import dev.fettle.internal.Futures;
import dev.fettle.internal.ModelBackend;
import dev.fettle.internal.SamplerBackend;
import dev.fettle.internal.TrainingBackend;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class LifetimeTest {
  private static List<Thread> threads() {
    return Thread.getAllStackTraces().keySet().stream().filter(t -> t.getName().startsWith("fettle-remote")).toList();
  }

  @Test
  void aThousandStepsLeaveNoThreadAndNoConnectionBehind() throws Exception {
    try (FakeService service = new FakeService(FakeService.Kind.HOSTED)) {
      RemoteBackend client = service.client();
      TrainingBackend training = client.load("fettle-tiny", Optional.empty()).tune(Lora.rank(8));
      int after10 = 0;
      for (int i = 0; i < 1000; i++) {
        Futures.join(training.step(BATCH, Loss.crossEntropy(), ADAM));
        if (i == 10) {
          after10 = threads().size();
        }
      }
      assertThat(service.model().steps).isEqualTo(1000);
      assertThat(threads().size()).isLessThanOrEqualTo(after10 + 40);
      assertThat(client.connections()).isLessThanOrEqualTo(5);
      assertThat(threads()).allMatch(Thread::isDaemon);
      client.close();
      for (Thread thread : threads()) {
        thread.join(10_000);
      }
      assertThat(threads()).isEmpty();
      assertThat(client.connections()).isZero();
      assertThat(service.model().unloaded).isTrue();
      assertThat(service.requests("api/v1/sessions/session1/finish")).hasSize(1)
          .allMatch(r -> FakeService.text(r).equals("{\"reason\":{\"type\":\"success\"},\"detail\":null}"));
    }
  }

  @Test
  void theHeartbeatBeginsWithTheSessionAndEndsWithTheClient() throws Exception {
    try (FakeService service = new FakeService(FakeService.Kind.HOSTED)) {
      try (RemoteBackend client = service.client()) {
        ModelBackend model = client.load("fettle-tiny", Optional.empty());
        client.models();
        assertThat(service.sessions).hasValue(0);
        model.sampler();
        while (service.beats.get() < 3) {
          Thread.sleep(5);
        }
      }
      for (Thread thread : threads()) {
        thread.join(10_000);
      }
      int beats = service.beats.get();
      Thread.sleep(100);
      assertThat(service.beats).hasValue(beats);
    }
  }

  @Test
  void aProgramThatClosesNothingEndsByItself() throws Exception {
    try (FakeService service = new FakeService(FakeService.Kind.HOSTED)) {
      Process program = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx256m",
          "-cp", System.getProperty("java.class.path"), UnclosedMain.class.getName(), service.uri().toString())
          .redirectErrorStream(true).start();
      // A thread of OkHttp that is no daemon would hold it for a minute.
      boolean ended = program.waitFor(50, TimeUnit.SECONDS);
      if (!ended) {
        program.destroyForcibly();
      }
      assertThat(ended).isTrue();
      assertThat(new String(program.getInputStream().readAllBytes(), StandardCharsets.UTF_8)).contains("3");
      assertThat(program.exitValue()).isZero();
    }
  }

  @Test
  void samplersOutliveTheirTraining() {
    try (FakeService service = new FakeService(FakeService.Kind.SKYRL)) {
      RemoteBackend client = service.client();
      TrainingBackend training = client.load("fettle-tiny", Optional.empty()).tune(Lora.rank(8));
      SamplerBackend sampler = Futures.join(training.sampler());
      training.close();
      assertThat(service.model().unloaded).isFalse();
      assertThat(Futures.join(sampler.sample(List.of(new int[3]), SamplingParams.greedy().maxTokens(1)))).hasSize(1);
      sampler.close();
      client.close();
      assertThat(service.model().unloaded).isTrue();
    }
  }

  @Test
  void fiveHundredSamplesAreAskedForAtATime() {
    try (FakeService service = new FakeService(FakeService.Kind.HOSTED); RemoteBackend client = service.client()) {
      SamplerBackend sampler = client.load("fettle-tiny", Optional.empty()).sampler();
      List<int[]> prompts = java.util.Collections.nCopies(500, new int[] {1, 2, 3});
      assertThat(Futures.join(sampler.sample(prompts, SamplingParams.standard().maxTokens(4)))).hasSize(500);
      assertThat(service.samples).hasValue(500);
      assertThat(threads().size()).isLessThanOrEqualTo(200);
    }
  }
}
