package dev.fettle.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** The programs for preferences and rewards. */
class PreferTest {
  private static final List<String> WORDS = List.of("red", "blue", "green", "black", "white", "brown");

  @TempDir
  private Path directory;

  @BeforeAll
  static void quiet() {
    System.setProperty("fettle.progress", "off");
  }

  @AfterAll
  static void loud() {
    System.clearProperty("fettle.progress");
  }

  private Path file(String name, String form) throws Exception {
    return Files.write(directory.resolve(name), WORDS.stream().map(word -> form.replace("WORD", word)).toList());
  }

  private String[] args(Path data, String... more) {
    List<String> args = new ArrayList<>(List.of("--model", "fettle-tiny", "--dtype", "f32", "--data", data.toString(), "--out",
        directory.resolve("out").toString(), "--rank", "4", "--batch", "3"));
    args.addAll(List.of(more));
    return args.toArray(String[]::new);
  }

  @Test
  void whatIsChosenIsRaisedAboveWhatIsRejected() throws Exception {
    Path pairs = file("pairs.jsonl", "{\"prompt\":\"I like WORD.\",\"chosen\":\"colour: WORD\",\"rejected\":\"nice\"}");

    for (String loss : List.of("dpo", "simpo")) {
      Outcome done = Outcome.of(Prefer::run, args(pairs, "--loss", loss, "--lr", "3e-3", "--epochs", "2", "--overwrite", "yes"));

      assertThat(done.code()).as(done.err()).isZero();
      JsonNode json = done.json();
      assertThat(json.path("margin_last").asDouble()).as(loss).isGreaterThan(json.path("margin_first").asDouble() + 0.2);
      assertThat(json.path("steps").asInt()).isEqualTo(4);
      assertThat(directory.resolve("out/adapter_model.safetensors")).isRegularFile();
      assertThat(Files.readString(directory.resolve("out-run/run.json"))).contains("\"recipe\" : \"" + loss + "\"");
    }
    assertThat(Outcome.of(Prefer::run, args(pairs)).err()).contains("--overwrite yes");
    assertThat(Outcome.of(Prefer::run, args(pairs, "--gamma", "1")).err()).contains("--gamma is for --loss simpo");
  }

  @Test
  void answersWithALabelAreLearntOneByOne() throws Exception {
    Path thumbs = file("thumbs.jsonl", "{\"prompt\":\"I like WORD.\",\"completion\":\"colour: WORD\",\"label\":true}\n"
        + "{\"prompt\":\"I like WORD.\",\"completion\":\"nice\",\"label\":false}");

    Outcome done = Outcome.of(Prefer::run, args(thumbs, "--loss", "kto", "--beta", "0.2", "--lr", "3e-3", "--save-every", "1"));

    assertThat(done.code()).as(done.err()).isZero();
    assertThat(done.json().propertyNames()).contains("loss_first", "loss_last", "margin_first", "tokens", "adapter");
    assertThat(Files.readString(directory.resolve("out-run/run.json"))).contains("\"beta\" : 0.2");
    assertThat(Outcome.of(Prefer::run, args(thumbs, "--loss", "orpo", "--overwrite", "yes")).err()).contains("Orpo learns from pairs");
  }

  @Test
  void answersThatAgreeWithTheDataAreRewarded() throws Exception {
    Path questions = file("questions.jsonl", "{\"prompt\":\"I like WORD.\",\"completion\":\"a\"}");

    Outcome done = Outcome.of(Reinforce::run, args(questions, "--reward", "contains", "--steps", "2", "--samples", "4", "--max-tokens",
        "8", "--lr", "1e-3"));

    assertThat(done.code()).as(done.err()).isZero();
    assertThat(done.json().path("reward_first").asDouble()).isStrictlyBetween(0.0, 1.0);
    assertThat(done.json().path("steps").asInt()).isEqualTo(2);
    Path texts = file("texts.jsonl", "{\"text\":\"WORD\"}");
    assertThat(Outcome.of(Reinforce::run, args(texts, "--overwrite", "yes")).err()).contains("example 1 is a Text")
        .contains("right answers");
  }

  @Test
  void lastNumbersAreComparedAsNumbers() {
    assertThat(Reinforce.agrees("number", "so it is 1,200.50 in all", "#### 1200.5")).isTrue();
    assertThat(Reinforce.agrees("number", "12 or -3", "3")).isFalse();
    assertThat(Reinforce.agrees("number", "none", "none")).isFalse();
    assertThat(Reinforce.agrees("exact", " red\n", "red")).isTrue();
    assertThat(Reinforce.agrees("exact", "a red one", "red")).isFalse();
    assertThat(Reinforce.agrees("contains", "a red one", "red")).isTrue();
  }
}
