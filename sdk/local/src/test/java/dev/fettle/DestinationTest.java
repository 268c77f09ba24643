package dev.fettle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.fettle.recipes.Comparison;
import dev.fettle.recipes.Distill;
import dev.fettle.recipes.Dpo;
import dev.fettle.recipes.Grpo;
import dev.fettle.recipes.Sft;
import dev.fettle.support.Child;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.stream.Stream;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DestinationTest {
  @TempDir Path directory;

  private static AbstractThrowableAssert<?, ?> assertRefused(Path place) {
    return assertThatThrownBy(() -> Destination.replacing(place)).isInstanceOf(InvalidInputException.class)
        .hasMessageStartingWith(place.toString() + ": ").hasMessageNotContaining("Exception");
  }

  @Test
  void aPlaceWhereNothingCanBeSavedIsRefusedWithTheReason() throws IOException {
    Path file = Files.writeString(directory.resolve("file"), "x");

    assertRefused(file).hasMessageContaining("is a file; name a directory");
    assertRefused(file.resolve("a/b")).hasMessageContaining(file + " is a file, not a directory");
    assertRefused(directory.resolve("n".repeat(250))).hasMessageContaining("too long");
    assertRefused(Path.of(directory + "/long".repeat(1000))).hasMessageContaining("too long");
    assertThatThrownBy(() -> Destination.within(file)).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("is a file; name a directory");
    assertThatThrownBy(() -> Destination.file(directory)).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("is a directory; name a file");
    assertThatThrownBy(() -> Destination.file(file.resolve("a"))).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining(file + " is a file, not a directory");
    assertThat(left()).containsExactly("file");
  }

  @Test
  void belowProcAndWhereAFileSystemIsMountedNothingCanBeSaved() {
    assumeTrue(Files.isDirectory(Path.of("/proc/self")), "no /proc here");

    assertRefused(Path.of("/proc/adapter")).hasMessageContaining("nothing can be made in /proc;");
    assertThatThrownBy(() -> Destination.within(Path.of("/proc/run"))).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("nothing can be made in /proc;");
    assertRefused(Path.of("/proc")).hasMessageContaining("/proc");
  }

  @Test
  void aForeignFileIsNamedAndAReadmeIsNotForeign() throws IOException {
    Path place = Files.createDirectory(directory.resolve("adapter"));
    Files.writeString(place.resolve("README.md"), "my adapter");
    Files.writeString(place.resolve(".gitattributes"), "*.safetensors filter=lfs");
    Destination.replacing(place).close();
    Files.writeString(place.resolve("notes.txt"), "mine");

    assertRefused(place).hasMessageContaining("notes.txt").hasMessageContaining("which Fettle did not write");
    assertThat(place.resolve("notes.txt")).hasContent("mine");
  }

  @Test
  void whatIsLookedAtIsLeftAsItWas() throws IOException {
    Destination.replacing(directory.resolve("a/b/adapter")).close();
    Destination.file(directory.resolve("c/run.trec")).close();
    Destination.within(directory.resolve("d")).close();

    try (Stream<Path> all = Files.walk(directory)) {
      assertThat(all.map(p -> directory.relativize(p).toString()).filter(p -> !p.isEmpty())).as("parents alone")
          .containsExactlyInAnyOrder("a", "a/b", "c");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"within", "replacing"})
  void aPlaceThatAnotherProcessHasIsRefusedAndFreeOnceThatIsKilled(String kind) throws Exception {
    Path place = directory.resolve("adapter");
    try (Child other = Child.of(directory, ClaimMain.class, kind, place.toString())) {
      other.untilItSays("has");

      assertThatThrownBy(() -> claim(kind, place)).isInstanceOf(InvalidInputException.class)
          .hasMessageStartingWith(place + ": process " + other.pid() + " (dev.fettle.ClaimMain)").hasMessageContaining("since 2")
          .hasMessageContaining("writes there; wait until it has ended, or name another place");
      claim(kind, directory.resolve("another")).close();

      other.signal("KILL").ended();
      claim(kind, place).close();
    }
    assertThat(left()).doesNotContain(".adapter.fettle-lock");
    assertThat(place.resolve(".fettle-lock")).doesNotExist();
  }

  private static Destination claim(String kind, Path place) {
    return kind.equals("within") ? Destination.within(place) : Destination.replacing(place);
  }

  @Test
  void withinAProcessAPlaceIsOneThreadsThatMayHaveItSeveralTimes() throws IOException {
    Path real = Files.createDirectory(directory.resolve("run"));
    Path link = Files.createSymbolicLink(directory.resolve("link"), real);
    Destination outer = Destination.within(real);
    Destination inner = Destination.within(link);
    inner.close();
    inner.close();

    assertThatThrownBy(() -> CompletableFuture.runAsync(() -> Destination.within(link)).join())
        .isInstanceOf(CompletionException.class).hasCauseInstanceOf(InvalidInputException.class)
        .hasMessageContaining("another run of this process writes there");
    outer.close();
    CompletableFuture.runAsync(() -> Destination.within(link).close()).join();
    assertThat(outer.toString()).hasSizeLessThanOrEqualTo(80);
  }

  @Test
  void twoRunsIntoOneDirectoryAreNotBegun() {
    try (Fettle fettle = Fettle.local(); Destination held = Destination.within(directory.resolve("run"))) {
      Training training = fettle.load("fettle-tiny", DType.F32).tune(Lora.rank(1));
      Dataset data = Dataset.of(new Text("one two three"));
      Conversation asked = Conversation.of(Message.user("Hello!"));
      List<Runnable> runs = List.of(
          () -> Sft.on(training).data(data).directory(held.path()).run(),
          () -> Dpo.on(training).data(List.of(Preference.of(asked, Message.assistant("a"), Message.assistant("b"))))
              .directory(held.path()).run(),
          () -> Grpo.on(training).prompts("Hello!").reward((p, a) -> 1).directory(held.path()).run(),
          () -> Distill.on(training).teacher(training.sampler()).prompts(List.of(asked)).directory(held.path()).run(),
          () -> Distill.on(training).teacher(training.sampler()).prompts(List.of(asked)).offPolicy().directory(held.path()).run(),
          () -> Comparison.of(training.model()).method("a", Lora.rank(1)).data(Dataset.of(new Text("four five"), new Text("six")))
              .validation(data).test(data).directory(held.path()).allowOverlap().run());
      for (Runnable run : runs) {
        assertThatThrownBy(() -> CompletableFuture.runAsync(run).join()).hasCauseInstanceOf(InvalidInputException.class)
            .hasMessageContaining("another run of this process writes there");
      }
      assertThat(training.steps()).isZero();
    }
  }

  private List<String> left() throws IOException {
    try (Stream<Path> all = Files.list(directory)) {
      return all.map(p -> p.getFileName().toString()).filter(n -> !n.startsWith("child")).sorted().toList();
    }
  }
}
