package dev.fettle.internal.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.fettle.FettleException;
import dev.fettle.InvalidInputException;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AtomicFilesTest {
  @TempDir Path directory;

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void a_kill_at_any_moment_leaves_the_old_or_the_new_whole(boolean maySwap) throws Exception {
    Path target = directory.resolve("model");
    Random random = new Random(7);
    int last = 0;
    for (int kill = 0; kill < 20; kill++) {
      last = saveUntilKilled(target, maySwap, last + 1, random);
      AtomicFiles.recover(target);
      int generation = Integer.parseInt(Files.readString(target.resolve("a.txt")));
      assertThat(target.resolve("sub/c.txt")).hasContent(Integer.toString(generation));
      try (SafetensorsFile file = SafetensorsFile.open(target.resolve("b.safetensors"))) {
        assertThat(file.bytes(file.tensors().get("g"), 0, 4).getInt()).isEqualTo(generation);
      }
      assertThat(generation).as("nothing that was reported saved is lost").isBetween(last, last + 1);
      String[] words = Files.readString(directory.resolve("file.txt")).split(" ");
      assertThat(words).hasSize(2);
      assertThat(words[0]).isEqualTo(words[1]);
      last = generation;
    }
    save(target, "end", maySwap);
    AtomicFiles.writeFile(directory.resolve("file.txt"), channel -> { });
    assertThat(siblings()).as("leftovers of killed processes are gone").containsExactly("file.txt", "model");
  }

  /** The last generation that the child reported before it was killed at a random moment. */
  private static int saveUntilKilled(Path target, boolean maySwap, int first, Random random) throws Exception {
    Process child =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx64m",
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-cp",
                System.getProperty("java.class.path"),
                SaveLoop.class.getName(),
                target.toString(),
                Boolean.toString(maySwap),
                Integer.toString(first))
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try (BufferedReader lines = child.inputReader()) {
      String line = lines.readLine();
      assertThat(line).as("the child's first save").isEqualTo(Integer.toString(first));
      Thread.sleep(random.nextInt(60), random.nextInt(1_000_000));
      child.toHandle().destroyForcibly();
      child.waitFor();
      int last = first;
      for (line = lines.readLine(); line != null && !line.isEmpty(); line = lines.readLine()) {
        last = Math.max(last, Integer.parseInt(line));
      }
      return last;
    }
  }

  @Test
  void linux_swaps_directories_in_one_step() throws IOException {
    assumeTrue(System.getProperty("os.name").equals("Linux"), "skipped: not Linux");
    Path a = Files.writeString(Files.createDirectory(directory.resolve("a")).resolve("f"), "a").getParent();
    Path b = Files.writeString(Files.createDirectory(directory.resolve("b")).resolve("f"), "b").getParent();
    assertThat(DirectoryExchange.swap(a, b)).isTrue();
    assertThat(a.resolve("f")).hasContent("b");
    assertThat(b.resolve("f")).hasContent("a");
    assertThat(DirectoryExchange.swap(a, directory.resolve("none"))).isFalse();
  }

  @Test
  void a_move_that_was_interrupted_is_finished_on_opening() throws IOException {
    Path target = directory.resolve("model");
    for (String left : List.of(".model.fettle-new", ".model.fettle-old")) {
      Files.createDirectory(directory.resolve(left));
    }
    Files.writeString(directory.resolve(".model.fettle-new/f"), "new");
    AtomicFiles.recover(target);
    assertThat(target.resolve("f")).hasContent("new");
    assertThat(siblings()).containsExactly(".model.fettle-old", "model");
  }

  @Test
  void a_failed_save_leaves_the_old_and_nothing_else() {
    Path target = directory.resolve("model");
    save(target, "old", true);
    assertThatThrownBy(
            () ->
                AtomicFiles.writeDirectory(
                    target,
                    temporary -> {
                      Files.writeString(temporary.resolve("f"), "half");
                      throw new IOException("disk full");
                    }))
        .isInstanceOf(FettleException.class)
        .hasMessageContaining("model")
        .hasMessageContaining("disk full");
    assertThat(target.resolve("f")).hasContent("old");
    assertThat(siblings()).containsExactly("model");
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void a_directory_that_holds_a_foreign_file_is_never_replaced(boolean maySwap) throws IOException {
    Path home = Files.createDirectories(directory.resolve("home/docs")).getParent();
    Files.writeString(home.resolve("docs/thesis.txt"), "years of work");
    assertRefused(home, "docs", maySwap);
    Path ours = directory.resolve("ours");
    save(ours, "old", maySwap);
    Files.writeString(ours.resolve("notes.txt"), "mine");
    assertRefused(ours, "notes.txt", maySwap);
    assertThat(home.resolve("docs/thesis.txt")).hasContent("years of work");
    assertThat(ours.resolve("notes.txt")).hasContent("mine");
    assertThat(ours.resolve("f")).hasContent("old");
    Files.delete(ours.resolve("notes.txt"));
    save(ours, "new", maySwap);
    assertThat(ours.resolve("f")).hasContent("new");
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void a_readme_and_the_like_that_people_put_there_stay(boolean maySwap) throws IOException {
    Path target = directory.resolve("model");
    save(target, "old", maySwap);
    Files.writeString(target.resolve("README.md"), "my model");
    Files.writeString(target.resolve(".gitattributes"), "*.safetensors filter=lfs");
    Files.createSymbolicLink(target.resolve("LICENSE"), Path.of("../gone"));
    for (String text : List.of("new", "newer")) {
      AtomicFiles.writeDirectory(
          target,
          temporary -> {
            Files.writeString(temporary.resolve("f"), text);
            Files.writeString(temporary.resolve("README.md"), "the service's");
          },
          maySwap);
      assertThat(target.resolve("f")).hasContent(text);
      assertThat(target.resolve("README.md")).hasContent("my model");
      assertThat(target.resolve(".gitattributes")).hasContent("*.safetensors filter=lfs");
      assertThat(Files.readSymbolicLink(target.resolve("LICENSE"))).isEqualTo(Path.of("../gone"));
    }
    Files.createDirectory(target.resolve("docs.md"));
    assertRefused(target, "docs.md", maySwap);
    assertThat(target.resolve("README.md")).hasContent("my model");
  }

  @Test
  void what_cannot_be_saved_says_why_in_words() throws IOException {
    Path file = Files.writeString(directory.resolve("file"), "x");
    assertThatThrownBy(() -> save(file.resolve("model"), "new", true)).isInstanceOf(FettleException.class)
        .hasMessage(file.resolve("model") + ": cannot be saved: " + file + " is a file, not a directory; name another "
            + "place");
    assertThatThrownBy(() -> AtomicFiles.writeFile(directory.resolve("n".repeat(250)), channel -> { }))
        .isInstanceOf(FettleException.class)
        .hasMessageEndingWith("cannot be saved: its name or path is too long; name another place");
    assertThatThrownBy(() -> AtomicFiles.writeDirectory(directory.resolve("model"), into -> Files.copy(directory.resolve("gone"),
        into.resolve("f")))).isInstanceOf(FettleException.class).hasMessageContaining(directory.resolve("gone") + ": no such file");
  }

  private static void assertRefused(Path target, String name, boolean maySwap) {
    assertThatThrownBy(() -> save(target, "new", maySwap))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining(target.toString())
        .hasMessageContaining(name);
  }

  @Test
  void an_empty_directory_and_missing_parents_are_fine_a_file_is_not() throws IOException {
    Path empty = Files.createDirectory(directory.resolve("empty"));
    save(empty, "new", true);
    assertThat(empty.resolve("f")).hasContent("new");
    save(directory.resolve("a/b/c"), "deep", true);
    assertThat(directory.resolve("a/b/c/f")).hasContent("deep");
    Path file = Files.writeString(directory.resolve("file"), "x");
    assertThatThrownBy(() -> save(file, "new", true)).isInstanceOf(InvalidInputException.class);
    assertThatThrownBy(() -> AtomicFiles.writeFile(empty, channel -> { })).isInstanceOf(InvalidInputException.class);
    assertThatThrownBy(() -> save(Path.of("/"), "new", true)).isInstanceOf(InvalidInputException.class);
  }

  @Test
  void a_link_stays_and_what_it_points_to_is_replaced() throws IOException {
    Path real = directory.resolve("real");
    save(real, "old", true);
    Path link = Files.createSymbolicLink(directory.resolve("link"), real);
    save(link, "new", true);
    assertThat(Files.isSymbolicLink(link)).isTrue();
    assertThat(real.resolve("f")).hasContent("new");
  }

  @Test
  void what_a_running_process_still_writes_is_left_alone() throws IOException {
    long running = ProcessHandle.current().parent().orElseThrow().pid();
    Files.createDirectory(directory.resolve(".model.fettle-tmp-" + running + "-1f"));
    Files.createDirectory(directory.resolve(".model.fettle-tmp-999999999999-1f"));
    Files.createDirectory(directory.resolve(".model.fettle-tmp-notes"));
    save(directory.resolve("model"), "new", true);
    assertThat(siblings()).containsExactly(".model.fettle-tmp-" + running + "-1f", ".model.fettle-tmp-notes", "model");
  }

  private static void save(Path target, String text, boolean maySwap) {
    AtomicFiles.writeDirectory(target, temporary -> Files.writeString(temporary.resolve("f"), text), maySwap);
  }

  private List<String> siblings() {
    try (Stream<Path> all = Files.list(directory)) {
      return all.map(path -> path.getFileName().toString()).sorted().toList();
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }
}
