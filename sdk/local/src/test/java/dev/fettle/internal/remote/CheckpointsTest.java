package dev.fettle.internal.remote;

import static dev.fettle.internal.remote.RemoteTrainingTest.ADAM;
import static dev.fettle.internal.remote.RemoteTrainingTest.BATCH;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.fettle.Batch;
import dev.fettle.Checkpoint;
import dev.fettle.DType;
import dev.fettle.Datum;
import dev.fettle.FettleException;
import dev.fettle.InvalidInputException;
import dev.fettle.Lora;
import dev.fettle.Loss;
import dev.fettle.ServiceException;
import dev.fettle.internal.Futures;
import dev.fettle.internal.TrainingBackend;
import dev.fettle.internal.checkpoint.SafetensorsFile;
import dev.fettle.internal.checkpoint.StoredType;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.local.LocalBackend;
import dev.fettle.internal.wire.Paths;
import dev.fettle.support.Golden;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class CheckpointsTest {
  @TempDir
  private Path directory;

  /** One entry of a tar archive. */
  static byte[] entry(String name, char type, byte[] content) {
    byte[] header = new byte[512];
    put(header, 0, name);
    put(header, 100, "0000644\0");
    put(header, 124, String.format("%011o", content.length));
    put(header, 148, "        ");
    header[156] = (byte) type;
    put(header, 257, "ustar");
    int sum = 0;
    for (byte b : header) {
      sum += b & 0xff;
    }
    put(header, 148, String.format("%06o\0", sum));
    byte[] out = Arrays.copyOf(header, 512 + (content.length + 511) / 512 * 512);
    System.arraycopy(content, 0, out, 512, content.length);
    return out;
  }

  private static void put(byte[] header, int at, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(bytes, 0, header, at, bytes.length);
  }

  static byte[] tar(byte[]... entries) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (byte[] entry : entries) {
      out.writeBytes(entry);
    }
    out.writeBytes(new byte[1024]);
    return out.toByteArray();
  }

  private static byte[] zipped(byte[] bytes) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (GZIPOutputStream zip = new GZIPOutputStream(out)) {
      zip.write(bytes);
    }
    return out.toByteArray();
  }

  /** An adapter that the local side made, as a service would pack it. */
  private byte[] adapter() throws IOException {
    Path made = directory.resolve("made");
    try (LocalBackend local = new LocalBackend()) {
      Futures.join(local.load("fettle-tiny", Optional.of(DType.F32)).tune(Lora.rank(8).seed(3)).saveAdapter(made));
    }
    return tar(entry("adapter/", '5', new byte[0]),
        entry("adapter/adapter_config.json", '0', Files.readAllBytes(made.resolve("adapter_config.json"))),
        entry("adapter/adapter_model.safetensors", '0', Files.readAllBytes(made.resolve("adapter_model.safetensors"))),
        entry("adapter/checkpoint_complete", '0', new byte[0]));
  }

  @ParameterizedTest
  @EnumSource
  void anAdapterComesBackAsTheLocalSideWritesIt(FakeService.Kind kind) throws Exception {
    byte[] archive = adapter();
    try (FakeService service = new FakeService(kind); RemoteBackend client = service.client()) {
      service.archive = kind == FakeService.Kind.SKYRL ? zipped(archive) : archive;
      TrainingBackend training = client.load("fettle-tiny", Optional.empty()).tune(Lora.rank(8));
      Path target = directory.resolve("adapter");
      Futures.join(training.saveAdapter(target));
      for (String file : List.of("adapter_config.json", "adapter_model.safetensors")) {
        assertThat(target.resolve(file)).hasSameBinaryContentAs(directory.resolve("made").resolve(file));
      }
      assertThat(service.saved).isEmpty();
      try (LocalBackend local = new LocalBackend()) {
        assertThat(local.load("fettle-tiny", Optional.of(DType.F32)).tune(Lora.from(target)).trainable().trained())
            .isPositive();
      }
      Path merged = directory.resolve("merged");
      Futures.join(training.saveMerged(merged, DType.F32));
      assertThat(merged.resolve("model.safetensors")).exists();
      assertThat(service.saved).isEmpty();
    }
  }

  @Test
  void halfPrecisionAndOtherNamesAreMadeTheUsualOnes() throws Exception {
    Path from = Files.createDirectories(directory.resolve("from"));
    var writer = new dev.fettle.internal.checkpoint.SafetensorsWriter();
    writer.add("model.layers.0.self_attn.q_proj.lora_A.default.weight", StoredType.F16, 2, 2);
    writer.add("base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight", StoredType.BF16, 2, 1);
    writer.write(from.resolve("adapter_model.safetensors"), (tensor, sink) -> sink.put(
        java.nio.ByteBuffer.wrap(tensor.type() == StoredType.F16 ? new byte[] {0, 0x3c, 0, (byte) 0xc0, 1, 0, 0, 0x38}
            : new byte[] {(byte) 0x80, 0x3f, 0, (byte) 0xc0}).order(java.nio.ByteOrder.LITTLE_ENDIAN)));
    Files.writeString(from.resolve("adapter_config.json"), dev.fettle.internal.checkpoint.AdapterConfig.of(2, 32,
        List.of("q_proj")).toJson());
    AdapterDirectory.write(from, directory.resolve("to"), "base");
    try (SafetensorsFile file = SafetensorsFile.open(directory.resolve("to/adapter_model.safetensors"))) {
      assertThat(file.tensors().values()).allMatch(t -> t.type() == StoredType.F32)
          .allMatch(t -> t.name().startsWith("base_model.model.model.layers.0.self_attn.q_proj.lora_"));
      var a = file.tensors().get("base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight");
      var values = file.bytes(a, 0, 16).asFloatBuffer();
      assertThat(new float[] {values.get(0), values.get(1), values.get(2), values.get(3)})
          .containsExactly(1f, -2f, 0x1p-24f, 0.5f);
    }
    assertThat(Files.readString(directory.resolve("to/adapter_config.json"))).contains("\"base\"");
  }

  @ParameterizedTest
  @EnumSource(names = {"HOSTED", "SKYRL"})
  void checkpointsAreListedAndDeleted(FakeService.Kind kind) {
    try (FakeService service = new FakeService(kind); RemoteBackend client = service.client()) {
      TrainingBackend training = client.load("fettle-tiny", Optional.empty()).tune(Lora.rank(8));
      Futures.join(training.step(BATCH, Loss.crossEntropy(), ADAM));
      Futures.join(training.saveState(directory.resolve("a"), Optional.empty()));
      Futures.join(training.saveState(directory.resolve("b"), Optional.empty()));
      List<Checkpoint> all = client.checkpoints().list();
      assertThat(all).hasSize(2).allMatch(Checkpoint::resumable).allMatch(c -> c.saved().isPresent())
          .allMatch(c -> c.path().startsWith("tinker://") && c.toString().length() <= 80);
      client.checkpoints().delete(all.get(0).path());
      assertThat(client.checkpoints().list()).containsExactly(all.get(1));
      assertThatThrownBy(() -> client.checkpoints().delete(all.get(0).path())).isInstanceOf(ServiceException.class)
          .hasMessageContaining("404");
      assertThat(client.resume(Path.of(all.get(1).path())).training().tuning()).hasToString(Lora.rank(8).toString());
    }
  }

  @Test
  void aTimeToLiveIsSetAndTakenAway() {
    try (FakeService service = new FakeService(FakeService.Kind.HOSTED); RemoteBackend client = service.client()) {
      client.checkpoints().expire("tinker://s:train:0/weights/x", Optional.of(Duration.ofDays(1)));
      client.checkpoints().expire("tinker://s:train:0/weights/x", Optional.empty());
      assertThat(service.requests(Paths.TRAINING_RUNS + "/s:train:0/checkpoints/weights/x/ttl"))
          .extracting(FakeService::text).containsExactly("{\"ttl_seconds\":86400}", "{\"ttl_seconds\":null}");
      assertThat(service.sessions).hasValue(0);
    }
    try (FakeService service = new FakeService(FakeService.Kind.SKYRL); RemoteBackend client = service.client()) {
      assertThatThrownBy(() -> client.checkpoints().expire("tinker://m/weights/x", Optional.empty()))
          .isInstanceOf(ServiceException.class).hasMessageContaining("no time to live");
    }
  }

  @Test
  void anArchiveThatIsBeingBuiltIsWaitedForAndOneThatIsSignedGetsNoKey() throws Exception {
    byte[] archive = adapter();
    try (FakeService service = new FakeService(FakeService.Kind.HOSTED); RemoteBackend client = service.client();
        mockwebserver3.MockWebServer store = new mockwebserver3.MockWebServer()) {
      store.start();
      store.enqueue(new mockwebserver3.MockResponse.Builder().code(200).body(new okio.Buffer().write(archive)).build());
      String resource = Paths.TRAINING_RUNS + "/run/checkpoints/sampler_weights/x/archive";
      service.instead(resource, 2, 503, "");
      service.instead(resource, 1, 200, "{\"url\":\"http://localhost:" + store.getPort() + "/signed?s=1\"}", "Content-Type",
          "application/json");
      client.checkpoints().download("tinker://run/sampler_weights/x", directory.resolve("x"));
      assertThat(directory.resolve("x/adapter_model.safetensors")).exists();
      assertThat(store.takeRequest().getHeaders().toString()).doesNotContainIgnoringCase("api-key");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"weights/x", "tinker://", "tinker://a", "tinker://a/b/c/d", "tinker://a/../b", "tinker://a//b",
      "tinker://a/weights/..", "https://a/b"})
  void otherPathsAreRefused(String path) {
    assertThatThrownBy(() -> TinkerPath.parse(path)).isInstanceOf(InvalidInputException.class);
  }

  @Test
  void archivesThatWouldWriteElsewhereAreRefused() throws Exception {
    Path target = Files.createDirectories(directory.resolve("target"));
    byte[][] bad = {tar(entry("../evil", '0', new byte[3])), tar(entry("/evil", '0', new byte[3])),
        tar(entry("link", '2', new byte[0])), tar(entry("hard", '1', new byte[0])), new byte[2000],
        Arrays.copyOf(tar(entry("cut", '0', new byte[4000])), 1500)};
    bad[4][0] = 'x';
    for (int i = 0; i < bad.length; i++) {
      Path archive = directory.resolve("archive" + i);
      Files.write(archive, bad[i]);
      assertThatThrownBy(() -> Tar.unpack(archive, target)).as("archive " + i).isInstanceOf(FettleException.class);
    }
    assertThat(directory.resolve("evil")).doesNotExist();
  }

  @Test
  void aDirectoryThatStandsForTheArchiveIsNothingToUnpack() throws Exception {
    for (String root : List.of("/", ".", "./", "", "././")) {
      Path archive = directory.resolve("rooted");
      Files.write(archive, tar(entry(root, '5', new byte[0]), entry("./file", '0', new byte[3])));
      Path target = Files.createDirectories(directory.resolve("target"));
      Tar.unpack(archive, target);
      assertThat(target.resolve("file")).as(root).hasSize(3);
    }
    for (String outside : List.of("../", "/etc/", "a/../../b/", "..")) {
      Path archive = directory.resolve("outside");
      Files.write(archive, tar(entry(outside, '5', new byte[0]), entry("file", '0', new byte[3])));
      Path target = Files.createDirectories(directory.resolve("target"));
      assertThatThrownBy(() -> Tar.unpack(archive, target)).as(outside).isInstanceOf(ServiceException.class)
          .hasMessageContaining("outside");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"saveAdapter", "download"})
  void anAdapterOfSkyRlIsSavedWithTheModulesThatItHas(String verb) throws Exception {
    try (FakeService service = new FakeService(FakeService.Kind.SKYRL); RemoteBackend client = service.client()) {
      service.archive = Files.readAllBytes(Golden.path("archives/skyrl.tar.gz"));
      Path target = directory.resolve("adapter");
      if (verb.equals("saveAdapter")) {
        Futures.join(client.load("fettle-tiny", Optional.empty()).tune(Lora.rank(8)).saveAdapter(target));
      } else {
        client.checkpoints().download("tinker://run/x", target);
      }
      JsonNode saved = Golden.json(target.resolve("adapter_config.json"));
      assertThat(saved.get("target_modules")).isEqualTo(Golden.json("lora/llama/adapter_config.json").get("target_modules"));
      assertThat(saved.get("lora_alpha").asInt()).isEqualTo(8);
      assertThat(saved.get("base_model_name_or_path").asString()).isEqualTo("fettle-tiny");
      try (LocalBackend local = new LocalBackend()) {
        var model = local.load(Golden.path("models/llama").toString(), Optional.of(DType.F32));
        JsonNode row = Golden.json("lora/llama/golden.json").get("data").get(0);
        Batch batch = Batch.of(Datum.supervised(Golden.ints(row.get("inputs")), Golden.ints(row.get("targets")),
            Golden.floats(row.get("weights"))));
        float[] logprobs = Futures.join(model.tune(Lora.from(target)).forward(batch, Loss.crossEntropy())).logprobs().get(0);
        float[] expected = Golden.floats(Golden.json("lora/llama/golden.json").get("logprobs").get(0));
        for (int i = 0; i < expected.length; i++) {
          assertThat(logprobs[i]).isCloseTo(expected[i], within(1e-4f));
        }
      }
    }
  }

  @Test
  void modulesOfSomeLayersAreNamedByTheirWholePaths() {
    String layer = "base_model.model.model.layers.%d.self_attn.%s.lora_%s.weight";
    List<String> even = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      for (String module : List.of("q_proj", "v_proj")) {
        even.add(String.format(layer, i, module, "A"));
        even.add(String.format(layer, i, module, "B"));
      }
    }
    assertThat(AdapterModules.of(even)).containsExactly("q_proj", "v_proj");
    assertThat(AdapterModules.of(even.subList(0, even.size() - 2))).contains("model.layers.2.self_attn.q_proj")
        .doesNotContain("model.layers.2.self_attn.v_proj", "q_proj");
    assertThat(AdapterModules.of(List.of(String.format(layer, 1, "q_proj", "A"))))
        .containsExactly("model.layers.1.self_attn.q_proj");
    assertThatThrownBy(() -> AdapterModules.of(List.of("model.embed_tokens.weight"))).isInstanceOf(ServiceException.class)
        .hasMessageContaining("target_modules");
  }

  @Test
  void longNamesAreRead() throws Exception {
    String longName = "d/".repeat(80) + "file";
    String record = " path=" + longName + "\n";
    byte[] pax = (record.length() + 3 + record).getBytes(StandardCharsets.US_ASCII);
    Path archive = directory.resolve("archive");
    Files.write(archive, tar(entry("pax", 'x', pax), entry("short", '0', "content".getBytes(StandardCharsets.US_ASCII))));
    Path target = Files.createDirectories(directory.resolve("target"));
    Tar.unpack(archive, target);
    assertThat(target.resolve(longName)).hasContent("content");
  }
}
