package dev.fettle.internal.remote;

import static dev.fettle.internal.remote.RemoteTrainingTest.ADAM;
import static dev.fettle.internal.remote.RemoteTrainingTest.BATCH;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fettle.Fettle;
import dev.fettle.InvalidInputException;
import dev.fettle.Lora;
import dev.fettle.Loss;
import dev.fettle.Remote;
import dev.fettle.internal.Futures;
import dev.fettle.internal.TrainingBackend;
import dev.fettle.internal.wire.Paths;
import dev.fettle.internal.wire.Sessions;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import mockwebserver3.MockResponse;
import mockwebserver3.MockWebServer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class KeysTest {
  private static final String KEY = "tml-very-secret-0123456789";

  private final FakeService service = new FakeService(FakeService.Kind.HOSTED);

  @AfterEach
  void close() {
    service.close();
  }

  private Remote remote() {
    return Remote.at(service.uri()).key(() -> KEY);
  }

  private static String whole(Throwable e) {
    StringWriter text = new StringWriter();
    e.printStackTrace(new PrintWriter(text));
    return text.toString();
  }

  @Test
  void theKeyIsSentAndInNoText(@TempDir Path directory) throws Exception {
    List<String> texts = new ArrayList<>(List.of(remote().toString(), Fettle.remote(remote()).toString()));
    try (RemoteBackend client = FakeService.client(remote())) {
      TrainingBackend training = client.load("fettle-tiny", Optional.empty()).tune(Lora.rank(8));
      Futures.join(training.step(BATCH, Loss.crossEntropy(), ADAM));
      Futures.join(training.saveState(directory.resolve("state"), Optional.empty()));
      texts.add(training + " " + client);
      for (String body : new String[] {"{\"detail\":\"the key " + KEY + " is wrong\"}", "your header: " + KEY}) {
        for (int status : new int[] {400, 401, 403, 404, 418, 422}) {
          service.instead(Paths.OPTIM_STEP, 1, status, body);
          try (RemoteBackend other = FakeService.client(remote())) {
            TrainingBackend broken = other.load("fettle-tiny", Optional.empty()).tune(Lora.rank(8));
            assertThatThrownBy(() -> Futures.join(broken.step(BATCH, Loss.crossEntropy(), ADAM)))
                .satisfies(e -> texts.add(whole(e)));
          }
        }
      }
      service.instead(Paths.RETRIEVE, 1, 200, "{\"error\":\"" + KEY + "\"}", "Content-Type", "application/json");
      assertThatThrownBy(() -> Futures.join(training.forward(BATCH, Loss.crossEntropy())))
          .satisfies(e -> texts.add(whole(e)));
      service.instead(Paths.OPTIM_STEP, 1, 200, "{\"request_id\":{\"" + KEY + "\":1}}");
      assertThatThrownBy(() -> Futures.join(training.step(BATCH, Loss.crossEntropy(), ADAM)))
          .satisfies(e -> texts.add(whole(e)));
    }
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        texts.add(Files.readString(file));
      }
    }
    assertThat(texts).hasSizeGreaterThan(15).noneMatch(t -> t.contains("very-secret"));
    assertThat(service.requests).allMatch(r -> KEY.equals(r.getHeaders().get("X-API-Key")));
    assertThat(service.requests).allMatch(r -> r.getHeaders().get("Authorization") == null);
  }

  @Test
  void noLoggerOfAnyLibraryWritesTheKey(@TempDir Path directory) throws Exception {
    Process program = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "-Dslf4j.provider=" + LoudLogging.class.getName(), "-cp",
        System.getProperty("java.class.path"), LoggedMain.class.getName(), directory.toString()).redirectErrorStream(true).start();
    String logged = new String(program.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

    assertThat(program.waitFor()).as(logged).isZero();
    assertThat(logged).contains("done", "okhttp3.", "com.sun.net.httpserver|", "ai.djl.").contains("is not the one");
    assertThat(logged.lines()).noneMatch(line -> line.contains("very-secret"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"tml-secret\nvalue", "tml-secret value", "tml-secretä"})
  void aKeyThatNoHeaderCanHoldIsRefusedWithoutBeingShown(String key) {
    try (RemoteBackend client = FakeService.client(Remote.at(service.uri()).key(() -> key))) {
      assertThatThrownBy(() -> client.load("fettle-tiny", Optional.empty())).isInstanceOf(InvalidInputException.class)
          .satisfies(e -> assertThat(whole(e)).doesNotContain("tml-secret"));
    }
    assertThat(service.requests).isEmpty();
  }

  @Test
  void noKeyIsNoHeader() {
    try (RemoteBackend client = FakeService.client(Remote.at(service.uri()).key(() -> null))) {
      client.load("fettle-tiny", Optional.empty());
    }
    assertThat(service.requests).isNotEmpty().allMatch(r -> r.getHeaders().get("X-API-Key") == null);
  }

  @ParameterizedTest
  @ValueSource(ints = {301, 302, 307, 308})
  void anotherHostNeverGetsTheKey(int status) throws Exception {
    try (MockWebServer stranger = new MockWebServer()) {
      stranger.start();
      for (int i = 0; i < 10; i++) {
        stranger.enqueue(new MockResponse.Builder().code(200).setHeader("Content-Type", "application/json")
            .body("{\"supported_models\":[{\"model_name\":\"fettle-tiny\"}]}").build());
      }
      String elsewhere = "http://localhost:" + stranger.getPort() + "/x";
      service.instead(Paths.CAPABILITIES, 1, status, "", "Location", elsewhere);
      try (RemoteBackend client = FakeService.client(remote())) {
        var model = client.load("fettle-tiny", Optional.empty());
        var request = stranger.takeRequest();
        assertThat(request.getHeaders().toString()).doesNotContain("secret").doesNotContainIgnoringCase("X-API-Key");

        service.instead(Paths.CREATE_SESSION, 100, status, "", "Location", elsewhere);
        assertThatThrownBy(() -> model.tune(Lora.rank(8))).hasMessageContaining("elsewhere");
        assertThat(stranger.getRequestCount()).isEqualTo(1);
      }
    }
  }

  @Test
  void theSameHostIsFollowedWithTheKey() {
    service.instead(Paths.CAPABILITIES, 1, 307, "", "Location", "/" + Paths.CAPABILITIES + "?moved=1");
    service.instead(Paths.CREATE_SESSION, 1, 308, "", "Location", "/" + Paths.CREATE_SESSION);
    try (RemoteBackend client = FakeService.client(remote())) {
      client.load("fettle-tiny", Optional.empty()).tune(Lora.rank(8));
    }
    assertThat(service.requests(Paths.CAPABILITIES)).hasSize(2)
        .allMatch(r -> KEY.equals(r.getHeaders().get("X-API-Key")));
    assertThat(service.models).hasSize(1);
  }

  @Test
  void onlyThisMachineIsReachedWithoutEncryptionUnlessItIsAllowed() {
    for (String url : new String[] {"http://example.com", "http://10.0.0.7:8000", "http://localhost.example.com"}) {
      assertThatThrownBy(() -> Fettle.remote(URI.create(url))).as(url).isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("https");
      Fettle.remote(Remote.at(URI.create(url)).allowPlainHttp()).close();
    }
    for (String url : new String[] {"http://localhost:8000", "http://127.0.0.1", "http://[::1]:80", "https://example.com"}) {
      Fettle.remote(URI.create(url)).close();
    }
    for (String url : new String[] {"ftp://localhost", "localhost:8000", "https://me:pass@example.com", "https://e.com?k=v"}) {
      assertThatThrownBy(() -> Remote.at(URI.create(url))).as(url).isInstanceOf(InvalidInputException.class)
          .satisfies(e -> assertThat(whole(e)).doesNotContain("pass@"));
    }
  }

  @Test
  void theBasePathIsKept() {
    service.instead("services/prod/" + Paths.CLIENT_CONFIG, 1, 200, "{}");
    service.instead("services/prod/" + Paths.CAPABILITIES, 1, 200, "{\"supported_models\":[{\"model_name\":\"m\"}]}");
    for (String suffix : new String[] {"/services/prod"}) {
      try (RemoteBackend client = FakeService.client(Remote.at(URI.create(service.uri() + suffix)))) {
        assertThat(client.models()).containsExactly("m");
      }
    }
  }

  private static String token(Instant expires) {
    String payload = "{\"sub\":\"me\",\"exp\":" + expires.getEpochSecond() + "}";
    return "x." + Base64.getUrlEncoder().withoutPadding().encodeToString(payload.getBytes(StandardCharsets.UTF_8)) + ".y";
  }

  @Test
  void aServiceThatWantsItGetsTokensForTheKeyAndNewOnesInTime() {
    service.config = new Sessions.Config(true, null, null, null, null, null, null, null, null, null, null);
    AtomicInteger given = new AtomicInteger();
    String soon = token(Instant.now().plusSeconds(30));
    String late = token(Instant.now().plusSeconds(3000));
    service.change(Paths.TOKEN, 100, r -> FakeService.json(new Sessions.Token(given.incrementAndGet() == 1 ? soon : late)));
    try (RemoteBackend client = FakeService.client(remote())) {
      TrainingBackend training = client.load("fettle-tiny", Optional.empty()).tune(Lora.rank(8));
      Futures.join(training.step(BATCH, Loss.crossEntropy(), ADAM));
    }
    assertThat(given).hasValue(2);
    assertThat(service.requests(Paths.TOKEN)).allMatch(r -> KEY.equals(r.getHeaders().get("X-API-Key")));
    assertThat(service.requests(Paths.CAPABILITIES).get(0).getHeaders().get("X-API-Key")).isEqualTo(soon);
    assertThat(service.requests(Paths.OPTIM_STEP).get(0).getHeaders().get("X-API-Key")).isEqualTo(late);
  }
}
