package dev.fettle.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What KOTLIN.md shows is what is compiled. */
class KotlinPageTest {
  @ParameterizedTest
  @ValueSource(strings = {"build.gradle.kts", "src/main/kotlin/Tune.kt"})
  void thePageShowsTheFile(String file) throws IOException {
    assertThat(Files.readString(Path.of("KOTLIN.md"))).contains("```kotlin\n" + Files.readString(Path.of("consumers/kotlin", file)) + "```");
  }
}
