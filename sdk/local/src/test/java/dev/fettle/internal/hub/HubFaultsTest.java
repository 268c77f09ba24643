package dev.fettle.internal.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fettle.FettleException;
import dev.fettle.InvalidInputException;
import dev.fettle.ServiceException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import mockwebserver3.SocketEffect;
import okio.Buffer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** What goes wrong on the way. */
class HubFaultsTest {
  @TempDir
  private Path home;
  @RegisterExtension
  final FakeHub server = FakeHub.withModel();
  private byte[] weights;

  @BeforeEach
  void serve() throws Exception {
    weights = FakeHub.tiny().get("model.safetensors");
  }

  private Path load() {
    return load(server.env(home));
  }

  private static Path load(Map<String, String> env) {
    return new Hub(env, Duration.ofMillis(1)).model("org/model", c -> {});
  }

  private Path partial() {
    return home.resolve("hub/models--org--model/blobs/" + FakeHub.hex("SHA-256", weights) + ".incomplete");
  }

  private void assertLoads() {
    assertThat(load().resolve("model.safetensors")).hasBinaryContent(weights);
    assertThat(partial()).doesNotExist();
  }

  private static int from(FakeHub.Seen seen) {
    return Integer.parseInt(seen.headers().get("Range").replaceAll("\\D", ""));
  }

  @Test
  void aDownloadThatIsCutGoesOnWhereItStopped() {
    server.faults.add(r -> r.newBuilder().onResponseBody(new SocketEffect.CloseSocket()).build());
    server.faults.add(r -> r.newBuilder().onResponseBody(new SocketEffect.CloseSocket()).build());
    assertLoads();
    assertThat(server.storage).hasSize(3);
    assertThat(from(server.storage.get(1))).isPositive().isLessThan(from(server.storage.get(2)));
  }

  @Test
  void whatAnEarlierProcessLeftIsUsed() throws Exception {
    Files.createDirectories(partial().getParent());
    Files.write(partial(), Arrays.copyOf(weights, 1000));
    assertLoads();
    assertThat(server.storage).hasSize(1).allMatch(r -> from(r) == 1000);
  }

  @Test
  void aWholePartIsNotFetchedAgain() throws Exception {
    Files.createDirectories(partial().getParent());
    Files.write(partial(), weights);
    assertLoads();
    assertThat(server.storage).isEmpty();
  }

  @Test
  void aPartThatIsDamagedOrTooLongIsFetchedAnew() throws Exception {
    Files.createDirectories(partial().getParent());
    Files.write(partial(), new byte[1000]);
    assertLoads();
    assertThat(server.storage).hasSize(2);
    Path blob = partial().resolveSibling(FakeHub.hex("SHA-256", weights));
    Files.delete(blob);
    Files.write(partial(), Arrays.copyOf(weights, weights.length + 1));
    assertLoads();
    assertThat(server.storage.get(2).headers()).doesNotContainKey("Range");
  }

  @Test
  void aServerWithoutRangesSendsAllOfIt() throws Exception {
    Files.createDirectories(partial().getParent());
    Files.write(partial(), Arrays.copyOf(weights, 1000));
    server.faults.add(r -> r.newBuilder().code(200).removeHeader("Content-Range").body(new Buffer().write(weights)).build());
    assertLoads();
    assertThat(server.storage).hasSize(1);
  }

  @Test
  void anotherPartThanTheOneAskedForIsNotTaken() throws Exception {
    Files.createDirectories(partial().getParent());
    Files.write(partial(), Arrays.copyOf(weights, 1000));
    server.faults.add(r -> r.newBuilder().setHeader("Content-Range", "bytes 7-9/10").build());
    assertLoads();
    assertThat(server.storage).hasSize(2);
  }

  @Test
  void burstsOfErrorsAreOutlasted() {
    for (int status : new int[] {500, 503, 429, 403}) {
      server.faults.add(r -> r.newBuilder().code(status).build());
    }
    server.hubFaults.add(r -> r.newBuilder().code(502).build());
    server.hubFaults.add(r -> r.newBuilder().onResponseStart(new SocketEffect.CloseSocket()).build());
    assertLoads();
  }

  @Test
  void aWrongChecksumIsNeverKept() {
    byte[] wrong = weights.clone();
    wrong[wrong.length / 2] ^= 1;
    server.faults.add(r -> r.newBuilder().body(new Buffer().write(wrong)).build());
    assertThatThrownBy(this::load).isInstanceOf(ServiceException.class)
        .hasMessageContainingAll("model.safetensors", "checksum", "deleted");
    assertThat(partial()).doesNotExist();
    assertThat(partial().resolveSibling(FakeHub.hex("SHA-256", weights))).doesNotExist();
    assertLoads();
  }

  @Test
  void aWrongSmallFileIsNeverKept() throws Exception {
    Map<String, byte[]> files = FakeHub.tiny();
    byte[] config = files.get("config.json");
    files.put("config.json", config.clone());
    server.commit("org/model", FakeHub.FIRST, files);
    server.hubFaults.add(r -> {
      files.get("config.json")[1] = ' ';
      return r;
    });
    server.hubFaults.add(r -> r.newBuilder().setHeader("ETag", "\"" + FakeHub.gitSha(config) + "\"").build());
    assertThatThrownBy(this::load).isInstanceOf(ServiceException.class).hasMessageContainingAll("config.json", "checksum");
  }

  @Test
  void aHubThatIsGoneIsSaid() {
    Map<String, String> env = server.env(home);
    env.put("HF_ENDPOINT", "http://localhost:1");
    assertThatThrownBy(() -> load(env)).isInstanceOf(ServiceException.class)
        .hasMessageContainingAll("org/model", "localhost:1", "proxy");
    for (int i = 0; i < 5; i++) {
      server.faults.add(r -> r.newBuilder().code(500).build());
    }
    assertThatThrownBy(this::load).isInstanceOf(ServiceException.class)
        .hasMessageContainingAll("model.safetensors", "500", "call again");
  }

  @Test
  void whatIsNotThereIsSaid() {
    Hub hub = new Hub(server.env(home), Duration.ofMillis(1));
    assertThatThrownBy(() -> hub.model("org/absent", c -> {})).isInstanceOf(InvalidInputException.class)
        .hasMessageContainingAll("org/absent", "no such model", "check the name", "HF_TOKEN");
    assertThatThrownBy(() -> hub.model("org/model@absent", c -> {})).isInstanceOf(InvalidInputException.class)
        .hasMessageContainingAll("org/model", "no revision absent");
    server.commit("org/empty", FakeHub.FIRST, Map.of());
    assertThatThrownBy(() -> hub.model("org/empty", c -> {})).isInstanceOf(ServiceException.class)
        .hasMessageContainingAll("org/empty", "no config.json");
    server.commit("org/pickle", FakeHub.FIRST, Map.of("config.json", "{}".getBytes(), "pytorch_model.bin", new byte[9]));
    assertThatThrownBy(() -> hub.model("org/pickle", c -> {})).isInstanceOf(InvalidInputException.class)
        .hasMessageContainingAll("neither model.safetensors", "convert");
    server.explains = false;
    assertThatThrownBy(() -> hub.model("org/absent", c -> {})).hasMessageContainingAll("no such model", "HF_TOKEN");
  }

  @Test
  void aFullDiskIsSaidBeforeItIsFull() {
    server.commit("org/model", FakeHub.FIRST, Map.of("config.json", "{}".getBytes(), "model.safetensors", weights));
    for (int i = 0; i < 16; i++) {
      server.hubFaults.add(r -> r.getHeaders().get("X-Linked-Size") == null ? r
          : r.newBuilder().setHeader("X-Linked-Size", 1L << 58).build());
    }
    assertThatThrownBy(this::load).isInstanceOf(FettleException.class)
        .hasMessageContainingAll("model.safetensors needs 288,230,376,151.7 MB", "room", "HF_HOME");
    assertThat(server.storage).isEmpty();
  }
}
