package dev.fettle.internal.hub;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fettle.internal.Status;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Several at once on one cache, and processes that are killed. */
class HubProcessesTest {
  @TempDir
  private Path home;
  @RegisterExtension
  final FakeHub server = FakeHub.withModel();
  private byte[] weights;

  @BeforeEach
  void serve() throws Exception {
    weights = FakeHub.tiny().get("model.safetensors");
  }

  private Process process() throws IOException {
    ProcessBuilder builder = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx128m",
        "-XX:TieredStopAtLevel=1", "-cp", System.getProperty("java.class.path"), HubMain.class.getName(), "org/model");
    builder.environment().putAll(server.env(home));
    return builder.redirectErrorStream(true).start();
  }

  /** Slowly, so that others come meanwhile. */
  private void slowly(int times) {
    for (int i = 0; i < times; i++) {
      server.faults.add(r -> r.newBuilder().throttleBody(weights.length / 20, 100, TimeUnit.MILLISECONDS).build());
    }
  }

  @Test
  void processesThatWantTheSameFetchItOnce() throws Exception {
    slowly(3);
    List<Process> all = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      all.add(process());
    }
    for (Process each : all) {
      String said = new String(each.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertThat(each.waitFor()).as(said).isZero();
      assertThat(Path.of(said.strip()).resolve("model.safetensors")).hasBinaryContent(weights);
    }
    assertThat(server.storage).hasSize(1);
  }

  @Test
  void threadsThatWantTheSameFetchItOnce() {
    slowly(4);
    List<CompletableFuture<Path>> all = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      all.add(CompletableFuture.supplyAsync(() -> new Hub(server.env(home)).model("org/model", c -> {})));
    }
    assertThat(all.stream().map(CompletableFuture::join).distinct().toList()).hasSize(1)
        .allSatisfy(d -> assertThat(d.resolve("model.safetensors")).hasBinaryContent(weights));
    assertThat(server.storage).hasSize(1);
  }

  @Test
  void aProcessThatIsKilledLeavesWhatItHas() throws Exception {
    slowly(1);
    Process process = process();
    Path partial = home.resolve("hub/models--org--model/blobs/" + FakeHub.hex("SHA-256", weights) + ".incomplete");
    while (process.isAlive() && (!Files.exists(partial) || Files.size(partial) == 0)) {
      Thread.sleep(5);
    }
    process.destroyForcibly().waitFor();
    long left = Files.size(partial);
    assertThat(left).isPositive().isLessThan(weights.length);
    assertThat(new Hub(server.env(home)).model("org/model", c -> {}).resolve("model.safetensors")).hasBinaryContent(weights);
    assertThat(server.storage.get(1).headers()).containsEntry("Range", "bytes=" + left + "-");
  }

  @Test
  void aLockOfPythonsKindIsWaitedFor() throws Exception {
    Path lock = home.resolve("hub/.locks/models--org--model/" + FakeHub.hex("SHA-256", weights) + ".lock");
    Files.createDirectories(lock.getParent());
    Assumptions.assumeTrue(new File("/usr/bin/flock").canExecute(), "no flock(1) here");
    Process holder = new ProcessBuilder("/usr/bin/flock", lock.toString(), "sh", "-c", "echo held; read line").start();
    assertThat(holder.getInputStream().read()).isEqualTo('h');
    CompletableFuture<Path> download =
        CompletableFuture.supplyAsync(() -> new Hub(server.env(home), Duration.ofMillis(1)).model("org/model", c -> {}));
    while (!Status.doing().contains("another download")) {
      assertThat(download).isNotDone();
      Thread.sleep(5);
    }
    assertThat(server.storage).isEmpty();
    holder.getOutputStream().close();
    assertThat(download.join().resolve("model.safetensors")).hasBinaryContent(weights);
    assertThat(Status.doing()).isEmpty();
  }
}
