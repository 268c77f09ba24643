package dev.fettle.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;
import static org.assertj.core.api.Assertions.within;

import dev.fettle.BaseModel;
import dev.fettle.DType;
import dev.fettle.Fettle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The measurements of encoders. */
class BenchEncoderTest {
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

  private static Outcome bench(String line, Object... more) {
    Stream<String> args = Stream.concat(Stream.of(line.split(" ")), Stream.of(more).map(Object::toString));
    return Outcome.of(Bench::run, args.toArray(String[]::new));
  }

  private static JsonNode measured(String line, Object... more) {
    Outcome outcome = bench(line, more);
    assertThat(outcome.err()).isEmpty();
    assertThat(outcome.code()).isZero();
    return outcome.json();
  }

  private static double times(JsonNode result, String rate) {
    return result.get(rate).asDouble() * result.get("seconds").asDouble();
  }

  private static JsonNode read(Path file) throws Exception {
    return new JsonMapper().readTree(Files.readString(file));
  }

  /** The texts anywhere below a node; each must be of so many tokens and come once. */
  private static void collect(JsonNode node, BaseModel model, int words, Set<String> into) {
    for (JsonNode child : node) {
      if (child.isArray()) {
        collect(child, model, words, into);
      } else {
        assertThat(model.tokenizer().encode(child.asString())).hasSize(words);
        assertThat(into.add(child.asString())).as("%s comes twice", child).isTrue();
      }
    }
  }

  private static Set<String> texts(JsonNode steps, int words) {
    Set<String> texts = new HashSet<>();
    try (RandomModel random = RandomModel.write("tiny-encoder"); Fettle fettle = Fettle.local()) {
      collect(steps, fettle.initialise(random.directory(), DType.F32, 0), words, texts);
    }
    return texts;
  }

  @Test
  void embeddingGivesDocumentsAndTokensASecondOfTextsOfTheGivenLength() throws Exception {
    Path dump = directory.resolve("texts.json");

    JsonNode result = measured("embed --random tiny-encoder --dtype f32 --batch 3 --length 16 --steps 2", "--dump", dump);

    assertThat(result.propertyNames()).containsExactly("tokens_per_second", "seconds", "peak_rss_bytes", "dtype",
        "parameters", "documents_per_second", "vector");
    assertThat(times(result, "documents_per_second")).isEqualTo(3, offset(1e-6));
    assertThat(times(result, "tokens_per_second")).isEqualTo(48, offset(1e-6));
    assertThat(result.get("peak_rss_bytes").isIntegralNumber()).isTrue();
    assertThat(result.get("dtype").asString()).isEqualTo("f32");
    JsonNode steps = read(dump);
    assertThat(texts(steps, 14)).as("a call that is not timed and two that are").hasSize(9);
    try (RandomModel random = RandomModel.write("tiny-encoder"); Fettle fettle = Fettle.local()) {
      float[] vector = fettle.initialise(random.directory(), DType.F32, 0).embed(steps.get(2).get(0).asString()).get(0);
      for (int i = 0; i < vector.length; i++) {
        assertThat(result.get("vector").get(i).asDouble()).isCloseTo(vector[i], within(1e-5));
      }
    }
  }

  @Test
  void contrastiveStepsGivePairsAndTokensASecondHardNegativesCounted() throws Exception {
    Path dump = directory.resolve("pairs.json");

    JsonNode result = measured("contrastive --random tiny-encoder --dtype f32 --batch 3 --length 8 --steps 2 --negatives 2",
        "--dump", dump);

    assertThat(result.propertyNames()).containsExactly("tokens_per_second", "seconds", "peak_rss_bytes", "dtype",
        "parameters", "pairs_per_second", "loss");
    assertThat(times(result, "pairs_per_second")).isEqualTo(3, offset(1e-6));
    assertThat(times(result, "tokens_per_second")).isEqualTo(3 * 4 * 8, offset(1e-6));
    assertThat(result.get("loss").asDouble()).isPositive();
    JsonNode steps = read(dump);
    assertThat(steps.get(1).get(2).size()).as("query, text, negatives").isEqualTo(4);
    assertThat(texts(steps, 6)).hasSize(3 * 3 * 4);
  }

  @Test
  void contrastiveTrainsWhatTheMethodSaysFromTheSeed() {
    String rest = "contrastive --random tiny-encoder --dtype f32 --batch 4 --length 8 --steps 3 --lr 1e-2";

    double full = measured(rest + " --method full").get("loss").asDouble();
    double lora = measured(rest + " --rank 4").get("loss").asDouble();

    assertThat(full).isNotEqualTo(lora);
    assertThat(measured(rest + " --method full").get("loss").asDouble()).isEqualTo(full);
    assertThat(measured(rest + " --method hybrid --last-layers 1").get("loss").asDouble()).isNotIn(full, lora);
    assertThat(measured(rest + " --method full --seed 1").get("loss").asDouble()).isNotEqualTo(full);
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {
      "embed | one of --model and --random is missing",
      "embed --random tiny-encoder --method full | unknown option \"--method\"",
      "embed --random tiny-encoder --batch 0 | give at least 1",
      "contrastive --random tiny-encoder --negatives -1 | give at least 0",
      "contrastive --random tiny-encoder --negatives some | it is not such a number",
      "contrastive --random tiny-encoder --length 8 --method full --rank 4 | --rank is for --method lora and hybrid",
  })
  void whatIsWrongOnTheCommandLineIsNamed(String line, String message) {
    Outcome outcome = bench(line);

    assertThat(outcome.code()).isEqualTo(2);
    assertThat(outcome.err()).contains(message).contains("Bench ").contains("--help lists what can be given");
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {
      "embed --random tiny | only encoders",
      "contrastive --random tiny | only encoders",
      "embed --random tiny-encoder --length 2 | give more than the 2 tokens that stand around each text",
      "embed --random tiny-encoder --length 65 | 64 positions",
      "train --random tiny-encoder | is an encoder",
  })
  void whatTheModelCannotDoIsOneLine(String line, String message) {
    Outcome outcome = bench(line);

    assertThat(outcome.code()).isEqualTo(1);
    assertThat(outcome.err().lines()).singleElement().asString().contains(message);
  }
}
