package dev.fettle.internal.remote;

import static dev.fettle.internal.remote.RemoteTrainingTest.ADAM;
import static dev.fettle.internal.remote.RemoteTrainingTest.BATCH;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fettle.ClosedException;
import dev.fettle.FettleException;
import dev.fettle.InvalidInputException;
import dev.fettle.Lora;
import dev.fettle.Loss;
import dev.fettle.NumericException;
import dev.fettle.Remote;
import dev.fettle.SamplingParams;
import dev.fettle.ServiceException;
import dev.fettle.internal.Futures;
import dev.fettle.internal.ModelBackend;
import dev.fettle.internal.Status;
import dev.fettle.internal.TrainingBackend;
import dev.fettle.internal.wire.Passes;
import dev.fettle.internal.wire.Paths;
import dev.fettle.internal.wire.RequestFutures;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import mockwebserver3.Dispatcher;
import mockwebserver3.MockResponse;
import mockwebserver3.MockWebServer;
import mockwebserver3.RecordedRequest;
import okhttp3.Headers;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class FaultsTest {
  private final FakeService service = new FakeService(FakeService.Kind.HOSTED);
  private final RemoteBackend client = service.client();

  @AfterEach
  void close() {
    client.close();
    service.close();
  }

  private ModelBackend model() {
    return client.load("fettle-tiny", Optional.empty());
  }

  private TrainingBackend tune() {
    return model().tune(Lora.rank(8));
  }

  private void step(TrainingBackend training) {
    Futures.join(training.step(BATCH, Loss.crossEntropy(), ADAM));
  }

  @ParameterizedTest
  @ValueSource(ints = {401, 403})
  void aKeyThatIsRefusedIsNotTriedAgain(int status) {
    service.instead(Paths.CLIENT_CONFIG, 100, status, "{\"detail\":\"no\"}");
    assertThatThrownBy(this::model).isInstanceOfSatisfying(ServiceException.class,
        e -> assertThat(e.status()).isEqualTo(status)).hasMessageContaining("key").hasMessageContaining("localhost");
    assertThat(service.requests(Paths.CLIENT_CONFIG)).hasSize(1);
  }

  @Test
  void nothingIsTriedLongerThanTheDeadline() {
    RetryPolicy hasty = RetryPolicy.standard(Duration.ofSeconds(7));
    assertThat(List.of(hasty.firstContact(), hasty.budget())).containsOnly(Duration.ofSeconds(7));
    assertThat(RetryPolicy.standard(Duration.ofHours(1)).budget()).isEqualTo(Duration.ofMinutes(5));
  }

  @Test
  void aServiceThatHasNoConfigurationHasTheDefaults() {
    service.instead(Paths.CLIENT_CONFIG, 1, 404, "{\"detail\":\"Not Found\"}");
    service.instead(Paths.CAPABILITIES, 1, 404, "{\"detail\":\"Not Found\"}");
    step(tune());
    assertThat(service.model().steps).isEqualTo(1);
  }

  @Test
  void aModelThatDoesNotExistIsNamedWithThoseThatDo() {
    assertThatThrownBy(() -> client.load("Qwen/Qwen3-8B", Optional.empty())).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("Qwen/Qwen3-8B").hasMessageContaining("fettle-tiny");
    assertThat(client.load("models/fettle-tiny", Optional.empty()).name()).isEqualTo("fettle-tiny");
  }

  @Test
  void statusesThatPassAreTriedAgainWithTheSameKeyAndNumber() {
    TrainingBackend training = tune();
    service.instead(Paths.FORWARD_BACKWARD, 1, 408, "");
    service.instead(Paths.FORWARD_BACKWARD, 1, 409, "{\"detail\":\"busy\"}");
    service.instead(Paths.FORWARD_BACKWARD, 1, 429, "{\"detail\":\"slow down\"}", "Retry-After", "0.01");
    service.instead(Paths.FORWARD_BACKWARD, 3, 502, "<html>bad gateway</html>");
    step(training);
    assertThat(service.model().passes).isEqualTo(1);
    assertThat(service.requests(Paths.FORWARD_BACKWARD)).hasSize(7)
        .extracting(r -> r.getHeaders().get(Paths.IDEMPOTENCY_KEY)).containsOnly(
            service.requests(Paths.FORWARD_BACKWARD).get(0).getHeaders().get(Paths.IDEMPOTENCY_KEY));
  }

  @Test
  void whatTheServiceSaysAboutTryingAgainCounts() {
    TrainingBackend training = tune();
    service.instead(Paths.OPTIM_STEP, 1, 503, "{\"detail\":\"for good\"}", "x-should-retry", "false");
    assertThatThrownBy(() -> step(training)).isInstanceOf(ServiceException.class).hasMessageContaining("for good");
    assertThat(service.requests(Paths.OPTIM_STEP)).hasSize(1);
  }

  @Test
  void aStateThatIsStillBeingWrittenIsWaitedFor(@TempDir Path directory) {
    TrainingBackend training = tune();
    Futures.join(training.saveState(directory.resolve("state"), Optional.empty()));
    service.instead(Paths.LOAD_WEIGHTS, 2, 425, "{\"detail\":\"still being written\"}");
    Futures.join(training.loadState(directory.resolve("state")));
    assertThat(service.requests(Paths.LOAD_WEIGHTS)).hasSize(3);
  }

  @Test
  void aConflictThatStaysIsAnErrorSoon() {
    TrainingBackend training = tune();
    service.instead(Paths.OPTIM_STEP, 100, 409, "{\"detail\":\"another payload\"}");
    assertThatThrownBy(() -> step(training)).isInstanceOf(ServiceException.class).hasMessageContaining("another payload");
    assertThat(service.requests(Paths.OPTIM_STEP)).hasSizeLessThan(6);
  }

  @Test
  void aRequestThatIsWrongIsRefusedWithTheServicesWords() {
    TrainingBackend training = tune();
    step(training);
    service.instead(Paths.FORWARD_BACKWARD, 1, 422,
        "{\"detail\":[{\"loc\":[\"body\",\"loss_fn\"],\"msg\":\"unknown loss\",\"type\":\"value_error\"}]}");
    assertThatThrownBy(() -> step(training)).isInstanceOf(InvalidInputException.class).hasMessageContaining("unknown loss")
        .hasMessageContaining("loss_fn");
    step(training);
    assertThat(service.model().steps).isEqualTo(2);
  }

  @Test
  void aServiceThatFailsTooLongIsAnError() {
    TrainingBackend training = tune();
    service.instead(Paths.OPTIM_STEP, 100000, 500, "{\"detail\":\"broken\"}");
    assertThatThrownBy(() -> step(training)).isInstanceOf(ServiceException.class).hasMessageContaining("broken")
        .hasMessageContaining("saveState");
    assertThatThrownBy(() -> step(training)).isInstanceOf(ServiceException.class).hasMessageContaining("cannot go on");
  }

  @Test
  void nobodyThereIsSaidSoon() {
    try (RemoteBackend none = FakeService.client(Remote.at(URI.create("http://localhost:1")))) {
      assertThatThrownBy(() -> none.load("fettle-tiny", Optional.empty())).isInstanceOf(ServiceException.class)
          .hasMessageContaining("localhost:1 cannot be reached");
    }
  }

  @ParameterizedTest
  @CsvSource({
    "404, nothing here, /v1, does not speak the Tinker protocol;404 nothing here;maybe http://localhost",
    "404, <html><title>Not Found</title><p>x</html>, '', does not speak the Tinker protocol;(404 Not Found)",
    "200, <html><title>Welcome!</title></html>, '', a page for people;Welcome!",
    "502, <html><title>Bad Gateway</title></html>, '', 502 Bad Gateway;the service itself runs"})
  void aUrlOfSomethingElseIsNamed(int code, String body, String path, String said) throws IOException {
    try (MockWebServer other = elsewhere(code, body);
        RemoteBackend none = FakeService.client(Remote.at(URI.create("http://localhost:" + other.getPort() + path)))) {
      assertThatThrownBy(none::models).isInstanceOf(ServiceException.class).hasMessageContainingAll(said.split(";"))
          .hasMessageContaining("localhost:" + other.getPort());
    }
  }

  @Test
  void aServerThatDoesNotEncryptIsNamed() throws IOException {
    try (MockWebServer other = elsewhere(200, "{}")) {
      String url = "localhost:" + other.getPort();
      try (RemoteBackend none = FakeService.client(Remote.at(URI.create("https://" + url)))) {
        assertThatThrownBy(none::models).isInstanceOf(InvalidInputException.class)
            .hasMessageContaining("https://" + url + ": this server speaks plain http: use http://" + url);
      }
    }
  }

  private static MockWebServer elsewhere(int code, String body) throws IOException {
    MockWebServer server = new MockWebServer();
    server.setDispatcher(new Dispatcher() {
      @Override
      public MockResponse dispatch(RecordedRequest request) {
        return new MockResponse(code, Headers.of(), body);
      }
    });
    server.start();
    return server;
  }

  @ParameterizedTest
  @ValueSource(strings = {"<html>login</html>", "[]", "{\"request_id\":{}}", "{}", ""})
  void whatIsNotTheProtocolIsNamed(String body) {
    TrainingBackend training = tune();
    service.instead(Paths.OPTIM_STEP, 1, 200, body, "Content-Type", "application/json");
    assertThatThrownBy(() -> step(training)).isInstanceOf(ServiceException.class)
        .hasMessageContaining("cannot be understood").hasMessageContaining("optim_step");
  }

  @Test
  void wrongProtobufIsNamedWithTheRequest() {
    TrainingBackend training = tune();
    service.change(Paths.RETRIEVE, 1, r -> FakeService.bytes(new byte[] {7, 7, 7, 7}, Paths.PROTOBUF));
    assertThatThrownBy(() -> Futures.join(training.forward(BATCH, Loss.crossEntropy())))
        .isInstanceOf(ServiceException.class).hasMessageContaining("request ").hasMessageContaining("understood");
  }

  @Test
  void outputsThatDoNotFitAreNamed() {
    TrainingBackend training = tune();
    Passes.Output one = new Passes.Output("x", List.of(Map.of()), Map.of());
    service.change(Paths.RETRIEVE, 1, r -> FakeService.json(one));
    assertThatThrownBy(() -> Futures.join(training.forward(BATCH, Loss.crossEntropy())))
        .isInstanceOf(ServiceException.class).hasMessageContaining("1 data for a batch of 2");
  }

  @Test
  void aLossThatIsNotFiniteIsAnError() {
    TrainingBackend training = tune();
    service.change(Paths.RETRIEVE, 1, r -> new MockResponse.Builder().code(200).setHeader("Content-Type", Paths.JSON)
        .body("{\"loss_fn_outputs\":[{},{}],\"metrics\":{\"loss:sum\":NaN},\"later\":[1]}").build());
    assertThatThrownBy(() -> Futures.join(training.forwardBackward(BATCH, Loss.crossEntropy())))
        .isInstanceOf(NumericException.class);
  }

  @Test
  void whatIsNewInAnswersIsIgnored() {
    service.instead(Paths.CLIENT_CONFIG, 1, 200, "{\"flag_of_tomorrow\":{\"a\":1},\"fwdbwd_max_chunk_len\":7}");
    service.change(Paths.RETRIEVE, 1, r -> FakeService.json(new RequestFutures.Pending("try_again", "1", "paused_by_moonlight", null)));
    step(tune());
    assertThat(service.model().steps).isEqualTo(1);
  }

  @Test
  void aQueueThatIsPausedIsShownWithItsReason() {
    TrainingBackend training = tune();
    Set<String> shown = ConcurrentHashMap.newKeySet();
    Runnable watcher = () -> shown.add(Status.waiting());
    Status.watch(watcher);
    try {
      service.change(Paths.RETRIEVE, 2, r -> FakeService.json(RequestFutures.Pending.of("1", "paused_capacity", "no GPU is free")));
      service.change(Paths.RETRIEVE, 1, r -> FakeService.bytes(
          "{\"queue_state\":\"paused_rate_limit\",\"queue_state_reason\":\"too fast\"}".getBytes(), Paths.JSON)
          .newBuilder().code(408).build());
      step(training);
    } finally {
      Status.unwatch(watcher);
    }
    assertThat(shown).anyMatch(s -> s.contains("paused_capacity: no GPU is free"))
        .anyMatch(s -> s.contains("paused_rate_limit: too fast"));
    assertThat(Status.waiting()).isEmpty();
  }

  @Test
  void failedWorkIsAnErrorOfTheRightKindWithItsRequest() {
    TrainingBackend training = tune();
    service.change(Paths.RETRIEVE, 1, r -> FakeService.json(new RequestFutures.Failed("bad tokens", "user")));
    assertThatThrownBy(() -> Futures.join(training.forward(BATCH, Loss.crossEntropy())))
        .isInstanceOf(InvalidInputException.class).hasMessageContaining("bad tokens").hasMessageContaining("request ");
    service.change(Paths.RETRIEVE, 1, r -> FakeService.json(new RequestFutures.Failed("a bug", "gremlins")));
    assertThatThrownBy(() -> Futures.join(training.forward(BATCH, Loss.crossEntropy())))
        .isInstanceOf(ServiceException.class).hasMessageContaining("a bug");
    service.change(Paths.RETRIEVE, 1, r -> FakeService.problem(400, "the engine says no"));
    assertThatThrownBy(() -> Futures.join(training.forward(BATCH, Loss.crossEntropy())))
        .isInstanceOf(InvalidInputException.class).hasMessageContaining("the engine says no");
    step(training);
    assertThat(service.model().steps).isEqualTo(1);
  }

  @Test
  void pollsGoOnThroughFailures() {
    TrainingBackend training = tune();
    service.instead(Paths.RETRIEVE, 2, 500, "oops");
    service.instead(Paths.RETRIEVE, 1, 429, "");
    service.instead(Paths.RETRIEVE, 1, 400, "");
    service.instead(Paths.RETRIEVE, 1, 400, "edge");
    service.instead(Paths.RETRIEVE, 1, 402, "{\"detail\":\"pay\"}");
    service.halfAnswer(Paths.RETRIEVE, 2);
    step(training);
    assertThat(service.model().steps).isEqualTo(1);
  }

  @Test
  void aConnectionThatTheServerClosedIsNotWorthAWordAndALineGoesWhenPollingGoesOn() throws Exception {
    TrainingBackend training = tune();
    List<String> shown = java.util.Collections.synchronizedList(new java.util.ArrayList<>());
    Runnable watcher = () -> shown.add(Status.waiting());
    Status.watch(watcher);
    try {
      service.cutBefore(Paths.RETRIEVE, 1);
      Futures.join(training.forward(BATCH, Loss.crossEntropy()));
      assertThat(shown).isEmpty();

      service.cutBefore(Paths.RETRIEVE, 3);
      service.change(Paths.RETRIEVE, 1, r -> r.newBuilder().headersDelay(1, TimeUnit.SECONDS).build());
      var slow = training.forward(BATCH, Loss.crossEntropy());
      while (!service.faultsAreUsedUp()) {
        Thread.sleep(5);
      }
      Thread.sleep(300);
      assertThat(shown).anyMatch(s -> s.startsWith("forward: "));
      assertThat(slow).isNotDone();
      assertThat(Status.waiting()).isEmpty();
      Futures.join(slow);
    } finally {
      Status.unwatch(watcher);
    }
  }

  @Test
  void aDownloadThatFailsDoesNotEndTheTraining(@TempDir Path directory) {
    TrainingBackend training = tune();
    step(training);
    service.archive = null;
    assertThatThrownBy(() -> Futures.join(training.saveAdapter(directory.resolve("a")))).isInstanceOf(ServiceException.class)
        .hasMessageContaining("404");
    service.archive = new byte[] {'n', 'o', ' ', 't', 'a', 'r'};
    assertThatThrownBy(() -> Futures.join(training.saveAdapter(directory.resolve("a")))).isInstanceOf(ServiceException.class)
        .hasMessageContaining("unpacked");
    service.instead(Paths.SAVE_FOR_SAMPLER, 1, 404, "{\"detail\":\"not here\"}");
    assertThatThrownBy(() -> Futures.join(training.saveAdapter(directory.resolve("a")))).hasMessageContaining("not here");
    service.change(Paths.RETRIEVE, 1, r -> FakeService.problem(404, "no such result"));
    assertThatThrownBy(() -> Futures.join(training.saveState(directory.resolve("s"), Optional.empty())))
        .hasMessageContaining("no such result");
    step(training);
    assertThat(service.model().steps).isEqualTo(2);
  }

  @Test
  void aServiceThatHasNoProtobufForAResultIsAskedForJson() {
    TrainingBackend training = tune();
    service.instead(Paths.RETRIEVE, 1, 406, "{\"detail\":\"JSON only\"}");
    Futures.join(training.forward(BATCH, Loss.crossEntropy()));
    assertThat(service.requests(Paths.RETRIEVE)).last()
        .satisfies(r -> assertThat(r.getHeaders().get("Accept")).isEqualTo(Paths.JSON));
  }

  @Test
  void largeResultsAreAskedForTwice() {
    TrainingBackend training = tune();
    service.change(Paths.RETRIEVE, 1, r -> FakeService.json(new RequestFutures.Large("complete_metadata", 1234L)));
    Futures.join(training.forward(BATCH, Loss.crossEntropy()));
    List<String> asked = service.requests(Paths.RETRIEVE).stream().map(FakeService::text)
        .filter(t -> t.contains("false")).toList();
    assertThat(asked).hasSize(1);
  }

  @Test
  void aRequestBeyondItsDeadlineFailsWithItsNumber() {
    try (RemoteBackend hasty = new RemoteBackend(Remote.at(service.uri()), FakeService.patience(Duration.ofMillis(300)),
        Map.of())) {
      TrainingBackend training = hasty.load("fettle-tiny", Optional.empty()).tune(Lora.rank(8));
      service.change(Paths.RETRIEVE, 10000, r -> r.newBuilder().headersDelay(10, TimeUnit.SECONDS).build());
      assertThatThrownBy(() -> Futures.join(training.forward(BATCH, Loss.crossEntropy())))
          .isInstanceOf(ServiceException.class).hasMessageContaining("request ").hasMessageContaining("deadline");
    }
  }

  @Test
  void aServiceThatRestartedIsSaidWithTheWayToResume(@TempDir Path directory) {
    Path state = directory.resolve("state");
    TrainingBackend training = tune();
    step(training);
    Futures.join(training.saveState(state, Optional.empty()));
    step(training);
    service.restart();
    assertThatThrownBy(() -> step(training)).isInstanceOf(ServiceException.class)
        .hasMessageContaining("Fettle.resume(\"" + state + "\")").hasMessageContaining("step 1");
    assertThatThrownBy(() -> Futures.join(training.optimStep(ADAM))).hasMessageContaining("Fettle.resume");
    TrainingBackend resumed = client.resume(state).training();
    assertThat(resumed.steps()).isEqualTo(1);
    step(resumed);
    assertThat(service.model().steps).isEqualTo(2);
  }

  @Test
  void aServiceThatRestartsBetweenPostAndPollIsSaidToo() {
    TrainingBackend training = tune();
    service.change(Paths.FORWARD_BACKWARD, 1, r -> {
      service.restart();
      return r;
    });
    assertThatThrownBy(() -> Futures.join(training.forward(BATCH, Loss.crossEntropy())))
        .isInstanceOf(ServiceException.class).hasMessageContaining("404").hasMessageContaining("saveState");
  }

  @Test
  void aStateThatIsGoneIsNamedWithItsService(@TempDir Path directory) {
    TrainingBackend training = tune();
    Futures.join(training.saveState(directory.resolve("state"), Optional.empty()));
    service.saved.clear();
    assertThatThrownBy(() -> client.resume(directory.resolve("state"))).isInstanceOf(ServiceException.class)
        .hasMessageContaining("localhost").hasMessageContaining("same service");
  }

  @Test
  void samplesThatTheServiceLostAreAskedForWithAnotherNumber() {
    var sampler = model().sampler();
    service.instead(Paths.RETRIEVE, 1, 410, "{\"detail\":\"gone\"}");
    Futures.join(sampler.sample(List.of(new int[4]), SamplingParams.greedy().maxTokens(2)));
    assertThat(service.requests(Paths.SAMPLE)).extracting(FakeService::text)
        .satisfies(t -> assertThat(t.get(0)).contains("\"seq_id\":0"), t -> assertThat(t.get(1)).contains("\"seq_id\":1"));
  }

  @Test
  void workOfATrainingThatTheServiceLostFails() {
    TrainingBackend training = tune();
    service.instead(Paths.RETRIEVE, 1, 410, "{\"detail\":\"gone\"}");
    assertThatThrownBy(() -> step(training)).isInstanceOf(ServiceException.class).hasMessageContaining("gone");
  }

  @Test
  void samplingThatIsTooMuchGoesOnMoreSlowlyWithTheSameNumber() {
    var sampler = model().sampler();
    service.instead(Paths.SAMPLE, 3, 429, "{\"detail\":\"full\"}");
    Futures.join(sampler.sample(List.of(new int[4]), SamplingParams.greedy().maxTokens(2)));
    assertThat(service.requests(Paths.SAMPLE)).hasSize(4)
        .allSatisfy(r -> assertThat(FakeService.text(r)).contains("\"seq_id\":0"))
        .allSatisfy(r -> assertThat(r.getHeaders().get(Paths.BACKPRESSURE)).isEqualTo("1"));
    assertThat(service.samples).hasValue(1);
  }

  @Test
  void closingEndsWhatWaits() throws Exception {
    TrainingBackend training = tune();
    service.change(Paths.RETRIEVE, 100000, r -> FakeService.json(RequestFutures.Pending.of("1", "active", null)));
    var waiting = training.forward(BATCH, Loss.crossEntropy());
    client.close();
    assertThatThrownBy(() -> Futures.join(waiting)).isInstanceOf(FettleException.class);
    assertThatThrownBy(() -> Futures.join(training.forward(BATCH, Loss.crossEntropy())))
        .isInstanceOf(ClosedException.class);
    assertThatThrownBy(() -> client.load("fettle-tiny", Optional.empty())).isInstanceOf(ClosedException.class);
  }
}
