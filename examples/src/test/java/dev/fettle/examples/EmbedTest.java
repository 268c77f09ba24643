package dev.fettle.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class EmbedTest {
  private static final Path MINILM =
      Path.of(System.getProperty("fettle.shared", "../../shared"), "models", "minilm-l6-v2");

  @TempDir
  private Path directory;

  @Test
  void printsTheVectorOfEachLineAndNothingElse() throws Exception {
    assumeTrue(Files.isDirectory(MINILM), MINILM + " is not there: give -Dfettle.shared=DIR");
    JsonNode sentences = JsonMapper.shared().readTree(MINILM.resolve("golden.json").toFile()).get("sentences");
    Path file = directory.resolve("texts.txt");
    StringBuilder text = new StringBuilder();
    sentences.forEach(s -> text.append(s.get("text").asString()).append('\n'));
    Files.writeString(file, text + "\nlast");

    Outcome outcome = Outcome.of(Embed::run, "--model", MINILM.toString(), "--file", file.toString(), "--length", "128");

    assertThat(outcome.code()).isZero();
    List<String> lines = outcome.out().lines().toList();
    assertThat(lines).hasSize(sentences.size() + 2);
    for (int i = 0; i < sentences.size(); i++) {
      JsonNode vector = JsonMapper.shared().readTree(lines.get(i));
      assertThat(vector.size()).isEqualTo(384);
      for (int j = 0; j < 384; j++) {
        assertThat(vector.get(j).asDouble()).isCloseTo(sentences.get(i).get("embedding").get(j).asDouble(), within(1e-5));
      }
    }
  }

  @Test
  void saysWhatIsWrong() throws Exception {
    Path file = Files.writeString(directory.resolve("texts.txt"), "a text\n");

    Outcome causal = Outcome.of(Embed::run, "--model", "fettle-tiny", "--file", file.toString());
    Outcome missing = Outcome.of(Embed::run, "--model", "fettle-tiny", "--file", directory.resolve("none").toString());

    assertThat(causal.code()).isEqualTo(1);
    assertThat(causal.err()).contains("encoder");
    assertThat(missing.code()).isEqualTo(1);
    assertThat(missing.err()).contains("none");
    assertThat(Outcome.of(Embed::run, "--model", "fettle-tiny").code()).isEqualTo(2);
  }
}
