package dev.fettle.internal.remote;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.fettle.AdamW;
import dev.fettle.Batch;
import dev.fettle.Checkpoint;
import dev.fettle.DType;
import dev.fettle.Datum;
import dev.fettle.Fettle;
import dev.fettle.FettleException;
import dev.fettle.FettleServer;
import dev.fettle.InvalidInputException;
import dev.fettle.Lora;
import dev.fettle.Loss;
import dev.fettle.Remote;
import dev.fettle.Sample;
import dev.fettle.Sampler;
import dev.fettle.SamplingParams;
import dev.fettle.ServiceException;
import dev.fettle.Training;
import dev.fettle.UnsupportedModelException;
import dev.fettle.internal.Backend;
import dev.fettle.internal.Futures;
import dev.fettle.internal.LocalEngine;
import dev.fettle.internal.ProgressMeter;
import dev.fettle.internal.SamplerBackend;
import dev.fettle.internal.TokenScores;
import dev.fettle.internal.remote.Impersonator.Service;
import dev.fettle.internal.wire.Paths;
import dev.fettle.internal.wire.Sessions;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What the client does with what only some services offer, and what it does where they do not. */
class CapabilitiesTest {
  private static final String KEY = "tml-capable";
  private static final int[] PROMPT = {5, 6, 7, 8, 9, 10};
  private static final Batch BATCH = Batch.of(Datum.of(5, 6, 7, 8, 9, 10));
  private static final AdamW STEP = AdamW.learningRate(0.01);

  @TempDir
  static Path files;
  private static Fettle engine;
  private static FettleServer server;
  private static final Map<Service, Impersonator> services = new EnumMap<>(Service.class);

  @BeforeAll
  static void start() throws Exception {
    engine = Fettle.local();
    server = FettleServer.serve(engine, engine.load("fettle-tiny", DType.F32)).token(() -> KEY).start();
    for (Service service : Service.values()) {
      services.put(service, new Impersonator(service, server.uri(), KEY));
    }
  }

  @AfterAll
  static void stop() {
    services.values().forEach(Impersonator::close);
    server.close();
    engine.close();
  }

  private static Remote at(Service service) {
    return Remote.at(services.get(service).uri()).key(() -> KEY);
  }

  /** A client within, whose futures can be seen. */
  private static RemoteBackend backend(Service service) {
    return new RemoteBackend(at(service), RetryPolicy.standard(Duration.ofMinutes(5)), Map.of("HF_HUB_OFFLINE", "1"));
  }

  private static SamplerBackend sampler(Backend backend) {
    return backend.load("fettle-tiny", Optional.empty()).sampler();
  }

  private static void eventually(java.util.function.BooleanSupplier condition) throws InterruptedException {
    for (int i = 0; i < 500 && !condition.getAsBoolean(); i++) {
      Thread.sleep(10);
    }
    assertThat(condition.getAsBoolean()).isTrue();
  }

  @ParameterizedTest
  @EnumSource
  void aStateIsLoadedInOneCallWhereTheServiceOffersThat(Service service) {
    Path state = files.resolve("state-" + service);
    try (Fettle fettle = Fettle.remote(at(service))) {
      Training training = fettle.load("fettle-tiny").tune(Lora.rank(2).seed(3));
      training.step(BATCH, Loss.crossEntropy(), STEP);
      training.saveState(state);
      double next = training.step(BATCH, Loss.crossEntropy(), STEP).loss().loss();
      double after = training.step(BATCH, Loss.crossEntropy(), STEP).loss().loss();
      long created = services.get(service).asked(Paths.CREATE_MODEL);

      Training resumed = fettle.resume(state);

      assertThat(services.get(service).asked(Paths.CREATE_MODEL) - created).isEqualTo(service == Service.HOSTED_040 ? 0 : 1);
      assertThat(resumed.step(BATCH, Loss.crossEntropy(), STEP).loss().loss()).isCloseTo(next, within(1e-6));
      assertThat(resumed.step(BATCH, Loss.crossEntropy(), STEP).loss().loss()).isCloseTo(after, within(1e-6));
    }
  }

  @Test
  void offersThatAreNotKeptDoNoHarm() throws Exception {
    try (FakeService fake = new FakeService(FakeService.Kind.SKYRL)) {
      fake.config = new Sessions.Config(null, null, null, null, null, null, null, null, null, true, true);
      try (Fettle fettle = Fettle.remote(Remote.at(fake.uri()).key(() -> KEY))) {
        Training training = fettle.load("fettle-tiny").tune(Lora.rank(2));
        training.step(BATCH, Loss.crossEntropy(), STEP);
        training.saveState(files.resolve("unkept"));
        Training resumed = fettle.resume(files.resolve("unkept"));
        assertThat(resumed.step(BATCH, Loss.crossEntropy(), STEP).optim().step()).isEqualTo(2);
        assertThat(resumed.sampler().sample(PROMPT, SamplingParams.greedy().maxTokens(4))).hasSize(1);
        assertThat(fake.requests).anyMatch(r -> r.getUrl().encodedPath().endsWith("/retrieve_futures"));
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void newsOfSamplesComesInOneRequestWhereTheServiceOffersThat(Service service) {
    List<int[]> prompts = new ArrayList<>();
    for (int i = 0; i < 30; i++) {
      prompts.add(new int[] {5 + i, 6, 7});
    }
    SamplingParams greedy = SamplingParams.greedy().maxTokens(6);
    List<List<Sample>> expected = engine.load("fettle-tiny", DType.F32).sampler().sample(prompts, greedy);
    long before = services.get(service).asked(Paths.FOLLOW);

    try (Fettle fettle = Fettle.remote(at(service))) {
      List<List<Sample>> samples = fettle.load("fettle-tiny").sampler().sample(prompts, greedy);

      assertThat(samples).extracting(s -> s.get(0).text()).isEqualTo(expected.stream().map(s -> s.get(0).text()).toList());
    }
    assertThat(services.get(service).asked(Paths.FOLLOW) > before).isEqualTo(service == Service.HOSTED_040);
  }

  @ParameterizedTest
  @EnumSource
  void samplesThatNobodyWaitsForAreGivenUpWhereTheServiceWantsToKnow(Service service) throws Exception {
    Impersonator spoken = services.get(service);
    try (RemoteBackend backend = backend(service)) {
      SamplerBackend sampler = sampler(backend);
      long sent = spoken.asked(Paths.SAMPLE);
      long cancelled = spoken.asked(Paths.CANCEL);
      // Where they are not given up, the next has to wait until they are sampled: of these there are few.
      int requests = service == Service.HOSTED_040 ? 40 : 2;
      CompletableFuture<List<List<Sample>>> future = sampler.sample(Collections.nCopies(requests, PROMPT),
          SamplingParams.standard().maxTokens(10 * requests).samples(2), new ProgressMeter());
      eventually(() -> spoken.asked(Paths.SAMPLE) - sent == requests);

      future.cancel(true);

      if (service == Service.HOSTED_040) {
        eventually(() -> spoken.asked(Paths.CANCEL) > cancelled);
      }
      Sampler next = engine.load("fettle-tiny", DType.F32).sampler();
      assertThat(Futures.join(sampler.sample(List.of(PROMPT), SamplingParams.greedy().maxTokens(3))).get(0).get(0).tokens())
          .isEqualTo(next.sample(PROMPT, SamplingParams.greedy().maxTokens(3)).get(0).tokens());
      assertThat(spoken.asked(Paths.CANCEL) > cancelled).isEqualTo(service == Service.HOSTED_040);
    }
  }

  @Test
  void anInterruptGivesSamplesUp() throws Exception {
    Impersonator spoken = services.get(Service.HOSTED_040);
    long sent = spoken.asked(Paths.SAMPLE);
    long cancelled = spoken.asked(Paths.CANCEL);
    AtomicReference<Throwable> thrown = new AtomicReference<>();
    try (Fettle fettle = Fettle.remote(at(Service.HOSTED_040))) {
      Sampler sampler = fettle.load("fettle-tiny").sampler();
      Thread waiting = new Thread(() -> {
        try {
          sampler.sample(PROMPT, SamplingParams.standard().maxTokens(500).samples(64));
        } catch (Throwable e) {
          thrown.set(e);
        }
      });
      waiting.start();
      eventually(() -> spoken.asked(Paths.SAMPLE) > sent);
      waiting.interrupt();
      waiting.join();
      eventually(() -> spoken.asked(Paths.CANCEL) > cancelled);
    }
    assertThat(thrown.get()).isInstanceOf(FettleException.class).hasMessageContaining("interrupted");
  }

  @Test
  void scoresOfPlacesAreThoseOfThisMachine() {
    int[][] asked = {{1, 2}, {9, 3}, {10, 4}};
    try (Backend local = LocalEngine.find("a test").open(); RemoteBackend remote = backend(Service.HOSTED_040)) {
      TokenScores expected = Futures.join(local.load("fettle-tiny", Optional.of(DType.F32)).sampler().scores(PROMPT, 2, 3, asked));

      TokenScores actual = Futures.join(sampler(remote).scores(PROMPT, 2, 3, asked));

      assertThat(actual.top()).isDeepEqualTo(expected.top());
      for (int i = 0; i < asked.length; i++) {
        assertThat(actual.asked()[i]).containsExactly(expected.asked()[i], within(1e-6f));
        assertThat(actual.topLogprobs()[i]).containsExactly(expected.topLogprobs()[i], within(1e-6f));
      }
      assertThat(Futures.join(sampler(remote).scores(PROMPT, 4, 2, new int[0][])).top()).hasDimensions(1, 2);
      assertThat(Futures.join(sampler(remote).scores(PROMPT, 2, 0, asked)).asked()).hasDimensions(3, 2);
    }
  }

  @Test
  void servicesThatTellNoScoresAreNamed() {
    try (RemoteBackend skyrl = backend(Service.SKYRL); RemoteBackend older = backend(Service.HOSTED_025)) {
      assertThatThrownBy(() -> Futures.join(sampler(skyrl).scores(PROMPT, 0, 3, new int[0][])))
          .isInstanceOf(UnsupportedModelException.class).hasMessageContaining("does not tell the likeliest tokens");
      assertThatThrownBy(() -> Futures.join(sampler(older).scores(PROMPT, 4, 0, new int[][] {{3}})))
          .isInstanceOf(InvalidInputException.class).hasMessageContaining("target_prompt_logprobs");
    }
  }

  @ParameterizedTest
  @EnumSource
  void notesComeBackWithTheCheckpointsWhereTheServiceKeepsThem(Service service) {
    Map<String, String> notes = Map.of("team", "blue " + service);
    try (Fettle fettle = Fettle.remote(at(service).metadata(notes))) {
      Training training = fettle.load("fettle-tiny").tune(Lora.rank(2));
      training.saveState(files.resolve("noted-" + service));
      training.saveState(files.resolve("noted-again-" + service));

      long noted = fettle.checkpoints().list().stream().filter(c -> c.metadata().equals(notes)).count();

      assertThat(noted).isEqualTo(service == Service.HOSTED_025 ? 0 : 2);
      assertThat(fettle.checkpoints().list()).allMatch(c -> c.model().equals(Optional.of("fettle-tiny")));
    }
  }

  @Test
  void aCopyOutlivesWhatItWasMadeOf() {
    try (Fettle fettle = Fettle.remote(at(Service.HOSTED_040))) {
      Training training = fettle.load("fettle-tiny").tune(Lora.rank(2).seed(9));
      training.step(BATCH, Loss.crossEntropy(), STEP);
      List<String> before = fettle.checkpoints().list().stream().map(Checkpoint::path).toList();
      training.saveState(files.resolve("copied"));
      double next = training.step(BATCH, Loss.crossEntropy(), STEP).loss().loss();
      String path = fettle.checkpoints().list().stream().map(Checkpoint::path).filter(p -> !before.contains(p)).findFirst()
          .orElseThrow();

      String copy = fettle.checkpoints().copy(path);
      fettle.checkpoints().delete(path);

      assertThat(copy).isNotEqualTo(path);
      assertThat(fettle.resume(Path.of(copy)).step(BATCH, Loss.crossEntropy(), STEP).loss().loss()).isCloseTo(next, within(1e-6));
      assertThatThrownBy(() -> fettle.checkpoints().copy(path)).isInstanceOf(ServiceException.class)
          .hasMessageContaining("does not know the checkpoint");
    }
    for (Service service : List.of(Service.HOSTED_025, Service.SKYRL)) {
      try (Fettle fettle = Fettle.remote(at(service))) {
        assertThatThrownBy(() -> fettle.checkpoints().copy("tinker://a/weights/b")).isInstanceOf(ServiceException.class)
            .hasMessageContaining("does not copy any");
      }
    }
  }
}
