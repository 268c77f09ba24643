package dev.fettle.internal.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fettle.InvalidInputException;
import dev.fettle.ServiceException;
import dev.fettle.internal.data.Format;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Datasets by name: which files they are, and where these are laid down. */
class HubDatasetTest {
  private static final String CARD = """
      ---
      license: mit
      configs:
      - config_name: main
        data_files:
        - split: train
          path: main/train-*
        - split: test
          path: [main/test.jsonl]
      - config_name: socratic
        data_files:
        - split: train
          path: socratic/*.jsonl
      ---
      # gsm8k
      """;

  @TempDir
  private Path home;
  @RegisterExtension
  final FakeHub server = FakeHub.withModel();
  private Map<String, String> env;

  @BeforeEach
  void commit() {
    env = server.env(home);
    commit("org/data", files("README.md", CARD, "main/train-00001-of-00002.jsonl", "{\"text\":\"b\"}",
        "main/train-00000-of-00002.jsonl", "{\"text\":\"a\"}", "main/test.jsonl", "{\"text\":\"t\"}", "socratic/x.jsonl",
        "{\"text\":\"s\"}"));
  }

  private void commit(String name, Map<String, byte[]> files) {
    server.commit("datasets/" + name, FakeHub.FIRST, files);
  }

  private static Map<String, byte[]> files(String... namesAndTexts) {
    Map<String, byte[]> files = new LinkedHashMap<>();
    for (int i = 0; i < namesAndTexts.length; i += 2) {
      files.put(namesAndTexts[i], namesAndTexts[i + 1].getBytes(StandardCharsets.UTF_8));
    }
    return files;
  }

  private List<String> names(String name, String config, String split) {
    Path snapshot = home.resolve("hub/datasets--" + name.replaceAll("@.*", "").replace("/", "--") + "/snapshots");
    return paths(name, config, split).stream().map(p -> snapshot.relativize(p).toString().replaceFirst("[^/]*/", "")).toList();
  }

  private List<Path> paths(String name, String config, String split) {
    return new Hub(env, Duration.ofMillis(1)).dataset(name, Optional.ofNullable(config), Optional.ofNullable(split), Format::of, n -> {});
  }

  @Test
  void aConfigurationAndASplitOfTheCard() throws IOException {
    List<Path> paths = paths("org/data", "main", "train");
    assertThat(paths).extracting(p -> p.getFileName().toString()).containsExactly("train-00000-of-00002.jsonl",
        "train-00001-of-00002.jsonl");
    Path cached = home.resolve("hub/datasets--org--data");
    assertThat(paths.get(0)).isEqualTo(cached.resolve("snapshots/" + FakeHub.FIRST + "/main/train-00000-of-00002.jsonl"))
        .isSymbolicLink().hasContent("{\"text\":\"a\"}");
    assertThat(Files.readSymbolicLink(paths.get(0)))
        .hasToString("../../../blobs/" + FakeHub.gitSha("{\"text\":\"a\"}".getBytes(StandardCharsets.UTF_8)));
    assertThat(cached.resolve("refs/main")).hasContent(FakeHub.FIRST);
    assertThat(cached.resolve("snapshots/" + FakeHub.FIRST + "/main/test.jsonl")).as("not asked for").doesNotExist();
    assertThat(names("org/data", "socratic", null)).containsExactly("socratic/x.jsonl");
    assertThat(names("org/data", "main", "test")).containsExactly("main/test.jsonl");
    assertThat(names("org/data", "main", null)).as("training by default").hasSize(2);
  }

  @Test
  void whatThereIsIsSaidOfWhatThereIsNot() {
    refused("org/data", null, null, "org/data: name a configuration; it has main, socratic");
    refused("org/data", "mian", "train", "there is no configuration \"mian\"; it has main, socratic");
    refused("org/data", "main", "dev", "org/data, configuration main: there is no split \"dev\"; it has train, test");
    refused("org/data", "main", "train[:10%]", "for parts of a split use take or split");
    refused("org/other", null, null, "has no such dataset or revision");
    refused("org/data@v9", null, null, "has no revision v9 of it");
    refused("a b", null, null, "is not a name on the Hugging Face hub");
  }

  @Test
  void namesOfFilesWhereTheCardNamesNone() {
    commit("org/plain", files("README.md", "# no yaml", "train.csv", "", "my_test.csv", "", "x-dev-1.csv", "", ".hidden/train.csv", ""));
    assertThat(names("org/plain", null, "train")).containsExactly("train.csv");
    assertThat(names("org/plain", "default", "test")).containsExactly("my_test.csv");
    assertThat(names("org/plain", null, "validation")).containsExactly("x-dev-1.csv");
    commit("org/shards", files("data/train_sft-00000-of-00001-ab12.parquet", "", "data/test_sft-00000-of-00001.parquet", ""));
    assertThat(names("org/shards", null, "train_sft")).containsExactly("data/train_sft-00000-of-00001-ab12.parquet");
    refused("org/shards", null, null, "name a split; it has test_sft, train_sft");
    commit("org/directories", files("x/training/a.jsonl", "", "x/training/b.jsonl", "", "x/test/c.jsonl", ""));
    assertThat(names("org/directories", null, "train")).containsExactly("x/training/a.jsonl", "x/training/b.jsonl");
    commit("org/one", files("alpaca_data.json", "", "picture.png", "", "dataset_infos.json", ""));
    assertThat(names("org/one", null, null)).containsExactly("alpaca_data.json");
    commit("org/subsets", files("main/train.jsonl", "", "main/test.jsonl", "", "other/train.jsonl", ""));
    assertThat(names("org/subsets", "main", "train")).containsExactly("main/train.jsonl");
    refused("org/subsets", "mine", "train", "no directory of that name; it has main, other");
  }

  @Test
  void formsOfCards() {
    String[] data = {"a.csv", "", "b.csv", "", "sub/c.csv", "", "sub/train/d.csv", "", "sub/deep/test/e.csv", ""};
    card("org/c1", "configs:\n- config_name: default\n  data_files: \"*.csv\"\n", data);
    assertThat(names("org/c1", null, null)).containsExactly("a.csv", "b.csv");
    card("org/c2", "configs:\n- config_name: x\n  data_dir: sub\n- config_name: y\n  default: true\n  data_files:\n  - b.csv\n  - a.csv\n", data);
    assertThat(names("org/c2", null, null)).containsExactly("b.csv", "a.csv");
    assertThat(names("org/c2", "x", "train")).containsExactly("sub/train/d.csv");
    assertThat(names("org/c2", "x", "test")).containsExactly("sub/deep/test/e.csv");
    card("org/c3", "configs:\n- config_name: default\n  data_files:\n  - split: train\n    path: 'sub/**'\n  - split: odd\n    path: '[!b].csv'\n", data);
    assertThat(names("org/c3", null, "train")).containsExactly("sub/c.csv", "sub/deep/test/e.csv", "sub/train/d.csv");
    assertThat(names("org/c3", null, "odd")).containsExactly("a.csv");
    card("org/c4", "configs:\n- config_name: default\n  data_files: z*.csv\n", data);
    refused("org/c4", null, null, "its card names z*.csv, but no such file is there");
    card("org/c5", "configs: [\n", data);
    refused("org/c5", null, null, "org/c5: README.md: the YAML at its beginning cannot be read");
    card("org/c6", "configs:\n- config_name: default\n  data_files: https://elsewhere/x.csv\n", data);
    refused("org/c6", null, null, "names files of another place");
  }

  private void card(String name, String yaml, String... data) {
    Map<String, byte[]> files = files(data);
    files.put("README.md", ("---\n" + yaml + "---\ntext").getBytes(StandardCharsets.UTF_8));
    commit(name, files);
  }

  @Test
  void whatAProgramMadeComesFromTheHubsOwnConversion() {
    commit("org/script", files("script.py", "", "README.md", ""));
    server.commit("datasets/org/script", FakeHub.SECOND, files("main/train/0000.parquet", "a", "main/test/0000.parquet", "b",
        "other/train/0000.parquet", "c"));
    server.branch("datasets/org/script", "main", FakeHub.FIRST);
    server.branch("datasets/org/script", "refs/convert/parquet", FakeHub.SECOND);
    assertThat(names("org/script", "main", "train")).containsExactly("main/train/0000.parquet");
    refused("org/script", null, "train", "name a configuration; it has main, other");
    commit("org/none", files("a.arrow", "", "README.md", ""));
    refused("org/none", null, null, "no file in a format that is read (JSON, CSV, Parquet); it has README.md, a.arrow");
  }

  @Test
  void offlineAndWithoutAHubFromTheCache() {
    refusedOffline("not in the cache");
    paths("org/data", "main", "train");
    int before = server.hub.size();
    env.put("HF_HUB_OFFLINE", "1");
    assertThat(paths("org/data", "main", "train")).hasSize(2);
    assertThat(server.hub).as("nothing is asked").hasSize(before);
    assertThatThrownBy(() -> paths("org/data", "main", "test")).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("its card names main/test.jsonl, but no such file is in the cache").hasMessageContaining("HF_HUB_OFFLINE");
    env.remove("HF_HUB_OFFLINE");
    env.put("HF_ENDPOINT", "http://localhost:1");
    assertThat(paths("org/data", "main", "train")).hasSize(2);
  }

  @Test
  void aCacheThatLacksAShardSaysWhich() throws IOException {
    Path second = paths("org/data", "main", "train").get(1);
    Files.delete(second);
    refusedOffline("main/train-00001-of-00002");
    String endpoint = env.put("HF_ENDPOINT", "http://localhost:1");
    assertThatThrownBy(() -> paths("org/data", "main", "train")).isInstanceOf(ServiceException.class)
        .hasMessageContaining("cannot be reached").hasMessageContaining("has no main/train-00001-of-00002");
    env.put("HF_ENDPOINT", endpoint);
    env.remove("HF_HUB_OFFLINE");
    assertThat(paths("org/data", "main", "train").get(1)).isEqualTo(second).exists();
  }

  private void refusedOffline(String why) {
    env.put("HF_HUB_OFFLINE", "1");
    assertThatThrownBy(() -> paths("org/data", "main", "train")).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("HF_HUB_OFFLINE").hasMessageContaining(why);
    env.remove("HF_HUB_OFFLINE");
  }

  @Test
  void whatIsInTheCacheStaysAtItsCommitAndARevisionIsItsOwn() {
    paths("org/data", "main", "test");
    server.commit("datasets/org/data", FakeHub.SECOND, files("train.jsonl", "{\"text\":\"new\"}"));
    assertThat(paths("org/data", "main", "train").get(0).toString()).contains(FakeHub.FIRST);
    assertThat(paths("org/data@" + FakeHub.SECOND, null, null).get(0)).hasContent("{\"text\":\"new\"}");
  }

  @Test
  void theTokenGoesToTheHubAndFaultsAreTriedAgain() {
    server.listingFaults.add(a -> a.newBuilder().code(503).build());
    server.listingFaults.add(a -> a.newBuilder().body("not json").build());
    assertThat(paths("org/data", "main", "test")).hasSize(1);
    assertThat(server.hub).allSatisfy(seen -> assertThat(seen.headers()).containsEntry("Authorization", "Bearer " + FakeHub.TOKEN));
    server.gated = true;
    refused("org/data@other", null, null, "the dataset is gated. Accept its licence on " + server.url() + "/datasets/org/data");
    env.put("HF_ENDPOINT", "http://localhost:1");
    assertThatThrownBy(() -> paths("org/unseen", null, null)).isInstanceOf(ServiceException.class)
        .hasMessageContaining("cannot be asked for its files")
        .satisfies(e -> assertThat(e.getCause().getStackTrace()).as("one message, not a page of frames").isEmpty());
  }

  @Test
  void aNameThatMoved() {
    server.movedTo.put("datasets/data", "datasets/org/data");
    assertThat(paths("data", "main", "test").get(0).toString()).contains("datasets--data").endsWith("main/test.jsonl");
  }

  @Test
  void theFormatIsCheckedBeforeAnythingIsFetched() {
    commit("org/p", files("data/train-00000-of-00001.parquet", "x"));
    assertThatThrownBy(() -> new Hub(env, Duration.ofMillis(1)).dataset("org/p", Optional.empty(), Optional.empty(), Format::of, names -> {
      throw new InvalidInputException("not " + names);
    })).hasMessage("not [data/train-00000-of-00001.parquet]");
    assertThat(server.storage).isEmpty();
  }

  @Test
  void aUsersProgramReadsItByItsEnvironment() throws Exception {
    Path log = home.resolve("log");
    ProcessBuilder builder = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-cp",
        System.getProperty("java.class.path"), HubDatasetMain.class.getName(), "org/data", "main", "train");
    builder.environment().putAll(env);
    assertThat(builder.redirectErrorStream(true).redirectOutput(log.toFile()).start().waitFor()).as(Files.readString(log)).isZero();
    assertThat(Files.readString(log).strip()).isEqualTo("4");
  }

  private void refused(String name, String config, String split, String why) {
    assertThatThrownBy(() -> paths(name, config, split)).isInstanceOf(InvalidInputException.class).hasMessageContaining(why);
  }
}
