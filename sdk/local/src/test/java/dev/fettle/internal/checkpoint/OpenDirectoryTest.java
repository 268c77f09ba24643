package dev.fettle.internal.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fettle.InvalidInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OpenDirectoryTest {
  @TempDir Path directory;

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void allThatIsOpenIsOfOneSaveWhileAnotherProcessSaves(boolean maySwap) throws Exception {
    Path target = directory.resolve("model");
    Set<String> seen = new TreeSet<>();
    try (CopyLoop other = CopyLoop.start(target, maySwap, files("old", 3), files("new", 5))) {
      for (int round = 0; round < 500 || other.saves() < 50; round++) {
        try (OpenDirectory files = OpenDirectory.open(target, "a file")) {
          Set<String> found = new TreeSet<>();
          for (OpenFile file : files.files()) {
            found.add(file.path().getFileName() + " " + file.text());
          }
          seen.add(found.toString());
        }
      }
    }
    assertThat(seen).containsExactly(
        "[0.json new, 1.json new, 2.json new, 3.json new, 4.json new]",
        "[0.json old, 1.json old, 2.json old]");
  }

  private Path files(String text, int count) throws IOException {
    Path made = Files.createDirectory(directory.resolve(text));
    for (int i = 0; i < count; i++) {
      Files.writeString(made.resolve(i + ".json"), text);
    }
    return made;
  }

  @Test
  void whatIsOpenStaysReadableWhenTheDirectoryIsReplacedOrGone() throws IOException {
    Path old = files("old", 1);
    try (OpenDirectory open = OpenDirectory.open(old, "a file")) {
      OpenFile file = open.file("0.json");
      Files.delete(file.path());
      Files.writeString(file.path(), "another");
      assertThat(file.isChanged()).isFalse();
      Files.delete(file.path());
      Files.delete(old);
      assertThat(file.text()).isEqualTo("old");
      assertThat(file.isChanged()).isFalse();
    }
  }

  @Test
  void aFileThatIsWrittenOverInPlaceSaysSo() throws IOException {
    try (OpenDirectory open = OpenDirectory.open(files("old", 1), "a file")) {
      OpenFile file = open.file("0.json");
      assertThat(file.isChanged()).isFalse();
      Files.writeString(file.path(), "longer");
      assertThat(file.isChanged()).isTrue();
    }
  }

  @Test
  void filesOfModulesBelowAreOpenedAndLinksFollowed() throws IOException {
    Path pooling = Files.createDirectories(directory.resolve("model/1_Pooling"));
    Files.writeString(pooling.resolve("config.json"), "{}");
    Path blob = Files.writeString(directory.resolve("blob"), "linked");
    Files.createSymbolicLink(pooling.resolveSibling("config.json"), blob);
    Path link = Files.createSymbolicLink(directory.resolve("link"), directory.resolve("model"));
    try (OpenDirectory open = OpenDirectory.open(link, "a file")) {
      assertThat(open.file("1_Pooling/config.json").text()).isEqualTo("{}");
      assertThat(open.file("config.json").text()).isEqualTo("linked");
      assertThat(open.files()).hasSize(1);
    }
  }

  @Test
  void anInterruptOfBeforeDoesNotCloseTheFile() throws IOException {
    try (OpenDirectory open = OpenDirectory.open(files("old", 1), "a file")) {
      Thread.currentThread().interrupt();
      assertThat(open.file("0.json").text()).isEqualTo("old");
      assertThat(Thread.interrupted()).isTrue();
      assertThat(open.file("0.json").text()).isEqualTo("old");
    }
  }

  @Test
  void whatIsMissingIsNamed() throws IOException {
    assertThatThrownBy(() -> OpenDirectory.open(directory.resolve("none"), Contents.Kind.MODEL))
        .isInstanceOf(InvalidInputException.class).hasMessage(directory.resolve("none") + ": no such directory");
    try (OpenDirectory open = OpenDirectory.open(files("old", 1), "a file")) {
      assertThatThrownBy(() -> open.file("config.json")).isInstanceOf(InvalidInputException.class)
          .hasMessage(directory.resolve("old/config.json") + ": no such file");
    }
  }
}
