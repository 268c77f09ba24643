package dev.fettle.internal.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fettle.InvalidInputException;
import dev.fettle.UnsupportedModelException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Which files are fetched, and where they are laid down. */
class HubCacheTest {
  @TempDir
  private Path home;
  @RegisterExtension
  final FakeHub server = FakeHub.withModel();

  private Hub hub() {
    return hub(server.env(home));
  }

  private static Hub hub(Map<String, String> env) {
    return new Hub(env, Duration.ofMillis(1));
  }

  private Path cached(String path) {
    return home.resolve("hub/models--org--model").resolve(path);
  }

  @Test
  void aModelIsLaidDownAsPythonsToolsDo() throws Exception {
    Path directory = hub().model("org/model", c -> {});
    assertThat(directory).isEqualTo(cached("snapshots/" + FakeHub.FIRST));
    assertThat(cached("refs/main")).hasContent(FakeHub.FIRST);
    Path weights = directory.resolve("model.safetensors");
    assertThat(weights).isSymbolicLink().hasBinaryContent(FakeHub.tiny().get("model.safetensors"));
    String sha = FakeHub.hex("SHA-256", FakeHub.tiny().get("model.safetensors"));
    assertThat(Files.readSymbolicLink(weights)).hasToString("../../blobs/" + sha);
    assertThat(cached("blobs/" + FakeHub.gitSha(FakeHub.tiny().get("config.json")))).exists();
    assertThat(cached(".no_exist/" + FakeHub.FIRST + "/chat_template.jinja")).isEmptyFile();
    assertThat(home.resolve("hub/.locks/models--org--model/" + sha + ".lock")).exists();
    try (Stream<Path> files = Files.walk(home)) {
      assertThat(files.map(Path::toString)).noneMatch(f -> f.endsWith(".incomplete") || f.endsWith(".tmp"));
    }
  }

  @Test
  void whatIsInTheCacheIsNotAskedForAgain() {
    hub().tokenizer("org/model");
    assertThat(cached("snapshots/" + FakeHub.FIRST + "/model.safetensors")).doesNotExist();
    hub().model("org/model", c -> {});
    assertThat(server.storage).hasSize(1);
    int before = server.hub.size();
    hub().model("org/model", c -> {});
    hub().tokenizer("org/model");
    assertThat(server.hub).hasSize(before);
  }

  @Test
  void aCacheThatOthersFilledServesWithoutAHub() throws Exception {
    Map<String, byte[]> files = FakeHub.tiny();
    Path snapshot = Files.createDirectories(cached("snapshots/" + FakeHub.SECOND));
    for (String name : List.of("config.json", "tokenizer.json", "model.safetensors")) {
      Files.write(snapshot.resolve(name), files.get(name));
    }
    Files.writeString(Files.createDirectories(cached("refs")).resolve("main"), FakeHub.SECOND);
    Map<String, String> env = new HashMap<>(Map.of("HF_HUB_CACHE", home.resolve("hub").toString(), "HF_ENDPOINT",
        "http://localhost:1"));
    assertThat(hub(env).model("org/model", c -> {})).isEqualTo(snapshot);
    env.put("HF_HUB_OFFLINE", "1");
    assertThat(hub(env).model("org/model", c -> {})).isEqualTo(snapshot);
    assertThat(hub(env).model("org/model@" + FakeHub.SECOND, c -> {})).isEqualTo(snapshot);
  }

  @Test
  void aRevisionIsABranchATagOrACommitAndIsNeverMixed() throws Exception {
    Map<String, byte[]> newer = FakeHub.tiny();
    newer.put("chat_template.jinja", "newer".getBytes(StandardCharsets.UTF_8));
    hub().tokenizer("org/model");
    server.commit("org/model", FakeHub.SECOND, newer);
    server.branch("org/model", "refs/pr/1", FakeHub.SECOND);
    Path main = hub().model("org/model", c -> {});
    assertThat(main).isEqualTo(cached("snapshots/" + FakeHub.FIRST)).isDirectoryContaining("glob:**model.safetensors");
    assertThat(hub().model("org/model@refs/pr/1", c -> {}).resolve("chat_template.jinja")).hasContent("newer");
    assertThat(cached("refs/refs/pr/1")).hasContent(FakeHub.SECOND);
    assertThat(server.storage).as("the same content is not fetched twice").hasSize(1);
    assertThat(hub().model("org/model@" + FakeHub.SECOND, c -> {})).isEqualTo(cached("snapshots/" + FakeHub.SECOND));
    assertThat(main.resolve("chat_template.jinja")).doesNotExist();
  }

  @Test
  void onlyWhatALoadReadsIsFetched() throws Exception {
    Map<String, byte[]> files = FakeHub.sharded();
    files.put("pytorch_model.bin", new byte[100]);
    files.put("README.md", "[]".getBytes(StandardCharsets.UTF_8));
    server.commit("org/model", FakeHub.SECOND, files);
    Path directory = hub().model("org/model", c -> {});
    try (Stream<Path> found = Files.list(directory)) {
      assertThat(found.map(f -> f.getFileName().toString())).containsExactlyInAnyOrder("config.json",
          "generation_config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors.index.json",
          "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors");
    }
    assertThat(server.hub).noneMatch(r -> r.path().endsWith(".bin"));
  }

  @Test
  void anEncoderComesWithTheSettingsOfItsPooling() throws Exception {
    Map<String, byte[]> files = FakeHub.tiny();
    for (String name : List.of("config.json", "modules.json", "sentence_bert_config.json", "1_Pooling/config.json",
        "config_sentence_transformers.json")) {
      files.put(name, "{\"model_type\": \"bert\"}".getBytes(StandardCharsets.UTF_8));
    }
    server.commit("org/encoder", FakeHub.FIRST, files);
    Path directory = hub().model("org/encoder", c -> {});
    assertThat(directory.resolve("1_Pooling/config.json")).isSymbolicLink().hasContent("{\"model_type\": \"bert\"}");
    assertThat(directory.resolve("sentence_bert_config.json")).exists();
    assertThat(directory.resolve("config_sentence_transformers.json")).exists();
    assertThat(directory.resolve("modules.json")).exists();
  }

  @Test
  void theModulesThatAnEncoderListsComeWithIt() throws Exception {
    Map<String, byte[]> files = FakeHub.tiny();
    files.put("modules.json", "[{\"path\": \"\"}, {\"path\": \"2_Dense\"}]".getBytes(StandardCharsets.UTF_8));
    for (String name : List.of("2_Dense/config.json", "2_Dense/model.safetensors", "2_Dense/other.bin")) {
      files.put(name, new byte[] {1});
    }
    server.commit("org/dense", FakeHub.FIRST, files);
    Path directory = hub().model("org/dense", c -> {});
    try (Stream<Path> found = Files.list(directory.resolve("2_Dense"))) {
      assertThat(found.map(f -> f.getFileName().toString())).containsExactlyInAnyOrder("config.json", "model.safetensors");
    }
    files.put("modules.json", "[{\"path\": \"../../../x\"}]".getBytes(StandardCharsets.UTF_8));
    server.commit("org/outside", FakeHub.SECOND, files);
    assertThatThrownBy(() -> hub().model("org/outside", c -> {})).hasMessageContaining("path");
  }

  @Test
  void aModelThatIsRefusedCostsNoWeights() {
    assertThatThrownBy(() -> hub().model("org/model", c -> {
      assertThat(c).isRegularFile().hasFileName("config.json");
      throw new UnsupportedModelException("not this one");
    })).isInstanceOf(UnsupportedModelException.class);
    assertThat(server.storage).isEmpty();
  }

  @Test
  void offlineTheMissingFilesAreNamed() throws Exception {
    server.commit("org/model", FakeHub.FIRST, FakeHub.sharded());
    hub().model("org/model", c -> {});
    Files.delete(cached("snapshots/" + FakeHub.FIRST + "/model-00002-of-00002.safetensors"));
    Map<String, String> env = server.env(home);
    env.put("HF_HUB_OFFLINE", "true");
    int before = server.hub.size();
    assertThatThrownBy(() -> hub(env).model("org/model", c -> {})).isInstanceOf(InvalidInputException.class)
        .hasMessageContainingAll("model-00002-of-00002.safetensors", "HF_HUB_OFFLINE", home.toString());
    assertThatThrownBy(() -> hub(env).model("org/other", c -> {})).isInstanceOf(InvalidInputException.class)
        .hasMessageContainingAll("org/other", "config.json", "HF_HUB_OFFLINE");
    assertThat(server.hub).hasSize(before);
    assertThat(hub().model("org/model", c -> {}).resolve("model-00002-of-00002.safetensors")).exists();
  }

  @Test
  void namesAreToldFromPaths() {
    assertThat(List.of("Qwen/Qwen3-0.6B", "org/name@v1.0", "org/name@refs/pr/3")).allMatch(Hub::isName);
    assertThat(List.of("gpt2", "./org/name", "/org/name", "a/b/c", "../b", "a/..", "a--b/c", "a/b.", "a/b@../c", "a/b@",
        "a\\b", "~/b", "")).noneMatch(Hub::isName);
  }

  @Test
  void theCacheIsWhereTheVariablesSay() {
    assertThat(Settings.of(Map.of("HF_HOME", "/a")).cache()).isEqualTo(Path.of("/a/hub"));
    assertThat(Settings.of(Map.of("HF_HOME", "/a", "HF_HUB_CACHE", "/b")).cache()).isEqualTo(Path.of("/b"));
    assertThat(Settings.of(Map.of("XDG_CACHE_HOME", "/x")).cache()).isEqualTo(Path.of("/x/huggingface/hub"));
    assertThat(Settings.of(Map.of("HF_HUB_CACHE", "~/c")).cache()).isEqualTo(Path.of(System.getProperty("user.home"), "c"));
    assertThatThrownBy(() -> Settings.of(Map.of("HF_ENDPOINT", "mirror"))).hasMessageContaining("HF_ENDPOINT");
  }
}
