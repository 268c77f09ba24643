package dev.fettle.examples.tiny;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fettle.BaseModel;
import dev.fettle.Fettle;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PretrainTinyTest {
  @TempDir Path directory;

  @Test
  void theModelOfTheJarCanBeMadeAnewFromNothing() throws IOException {
    PretrainTiny.main(new String[] {directory.resolve("model").toString(), "3"});

    try (Fettle fettle = Fettle.local()) {
      BaseModel embedded = fettle.load("fettle-tiny");
      BaseModel made = fettle.load(directory.resolve("model"));
      assertThat(made.parameters()).isEqualTo(embedded.parameters()).isBetween(1_000_000L, 4_000_000L);
      assertThat(made.tokenizer().vocabSize()).isEqualTo(embedded.tokenizer().vocabSize());
      assertThat(made.renderer().family()).isEqualTo("template");
    }
    assertThat(Files.size(directory.resolve("model/model.safetensors"))).isLessThan(8 << 20);
  }
}
