package dev.fettle.internal.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.fettle.Dataset;
import dev.fettle.FettleException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Parquet as pyarrow writes it, read by a Java that can. */
class ParquetTest {
  private static final Path GOLDEN = Path.of("src/test/resources/golden/parquet");

  @TempDir Path dir;

  @Test
  void anOlderJavaSaysWhatToDo() {
    assumeTrue(Runtime.version().feature() < 21, "this Java reads Parquet");
    assertThatThrownBy(() -> Dataset.parquet(GOLDEN.resolve("texts-plain.parquet"))).isInstanceOf(FettleException.class)
        .hasMessageContaining("texts-plain.parquet: Parquet is read by Hardwood, which needs Java 21 or newer, and this is Java 17")
        .hasMessageContaining("to_json");
    assertThatThrownBy(() -> Dataset.parquet(dir.resolve("missing.parquet"))).hasMessageContaining("does not exist");
  }

  @Test
  void nestedMessagesNullsAndSeveralRowGroups() throws Exception {
    assertThat(run("chats-snappy")).isEqualTo("0 40");
  }

  @Test
  void compressedByGzipAndNotAtAllWithFieldsWithinColumns() throws Exception {
    assertThat(run("texts-gzip-v2", "prompt=question", "completion=answer.text.0")).isEqualTo("0 60");
    assertThat(run("texts-plain", "instruction=question", "output=answer.text.1")).isEqualTo("0 20");
  }

  @Test
  void errorsNameTheFileAndTheRow() throws Exception {
    assertThat(run("texts-plain", "prompt=quest", "completion=flag"))
        .contains("texts-plain.parquet, row 1: no row has the column quest; the columns are question, answer, answer.text");
    assertThat(run("texts-plain", "prompt=question", "completion=flag"))
        .contains("texts-plain.parquet, row 1: completion is the truth value true; expected a string");
    Path broken = dir.resolve("broken.parquet");
    byte[] bytes = Files.readAllBytes(GOLDEN.resolve("texts-plain.parquet"));
    Files.write(broken, java.util.Arrays.copyOf(bytes, bytes.length - 40));
    assertThat(run(broken, GOLDEN.resolve("texts-plain.jsonl")))
        .contains("InvalidInputException: " + broken + ": this is not Parquet that Hardwood can read");
  }

  private String run(String name, String... fields) throws Exception {
    return run(GOLDEN.resolve(name + ".parquet"), GOLDEN.resolve(name + ".jsonl"), fields);
  }

  /** The exit code, 0, and what it printed, or else the output. */
  private String run(Path parquet, Path lines, String... fields) throws Exception {
    Optional<Path> java = newerJava();
    assumeTrue(java.isPresent(), "no Java of 21 or newer found: name one by -DargLine=-Dfettle.java21=/path/of/its/home");
    List<String> command = new ArrayList<>(List.of(java.get().toString(), "-Dfettle.progress=off", "-cp",
        System.getProperty("java.class.path"), ParquetMain.class.getName(), parquet.toString(), lines.toString()));
    command.addAll(List.of(fields));
    Path log = dir.resolve("log");
    Process process = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile()).start();
    int code = process.waitFor();
    String said = Files.readString(log).lines().filter(line -> !line.startsWith("WARNING")).reduce("", (a, b) -> a + b).strip();
    return code == 0 ? "0 " + said : said;
  }

  private static Optional<Path> newerJava() throws IOException {
    List<Path> homes = new ArrayList<>(List.of(Path.of(System.getProperty("fettle.java21", System.getProperty("java.home")))));
    Path installed = Path.of("/usr/lib/jvm");
    if (Files.isDirectory(installed)) {
      try (Stream<Path> all = Files.list(installed)) {
        all.sorted().forEach(homes::add);
      }
    }
    for (Path home : homes) {
      Path release = home.resolve("release");
      if (Files.isRegularFile(release) && Files.readString(release).matches("(?s).*JAVA_VERSION=\"(2[1-9]|[3-9]\\d).*")) {
        return Optional.of(home.resolve("bin/java"));
      }
    }
    return Optional.empty();
  }
}
