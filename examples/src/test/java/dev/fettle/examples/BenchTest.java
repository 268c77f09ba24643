package dev.fettle.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;
import static org.assertj.core.api.Assertions.within;

import dev.fettle.internal.torch.Profile;
import java.awt.image.BufferedImage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class BenchTest {
  private static final List<String> PROPERTIES = List.of("fettle.threads", "fettle.kernels", "fettle.progress");

  @TempDir
  private Path directory;

  @BeforeAll
  static void quiet() {
    System.setProperty("fettle.progress", "off");
  }

  @AfterAll
  static void loud() {
    PROPERTIES.forEach(System::clearProperty);
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

  private Path chats(int count) throws Exception {
    Path file = directory.resolve("chats.jsonl");
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < count; i++) {
      lines.append("{\"messages\":[{\"role\":\"user\",\"content\":\"Why").append("?".repeat(i))
          .append("\"},{\"role\":\"assistant\",\"content\":\"So.\"}]}\n");
    }
    Files.writeString(file, lines);
    return file;
  }

  @ParameterizedTest
  @ValueSource(strings = {
      "train --random tiny --batch 2 --length 8 --steps 1",
      "full --random tiny --batch 2 --length 8 --steps 1",
      "profile --random tiny --batch 2 --length 8 --steps 1",
      "start --random tiny --batch 2 --length 8",
  })
  void everyTrainingGivesRateTimeMemoryAndLoss(String line) {
    JsonNode result = measured(line);

    double tokens = result.get("tokens_per_second").asDouble() * result.get("seconds").asDouble();
    assertThat(tokens).isEqualTo(16, offset(1e-6));
    assertThat(result.get("peak_rss_bytes").isIntegralNumber()).isTrue();
    assertThat(result.get("loss").asDouble()).isCloseTo(Math.log(320), within(0.2));
    assertThat(result.get("parameters").asLong()).isEqualTo(28_864);
  }

  @Test
  void fullIsTrainingOfAllWeights() {
    String rest = " --random tiny --dtype f32 --batch 2 --length 8 --steps 2 --lr 1e-2";

    double full = measured("full" + rest).get("loss").asDouble();

    assertThat(measured("train --method full" + rest).get("loss").asDouble()).isEqualTo(full);
    assertThat(measured("train" + rest).get("loss").asDouble()).isNotEqualTo(full);
  }

  @Test
  void sftCountsTheTokensInTheLossBesideAllOfThem() throws Exception {
    Path dump = directory.resolve("tokens.json");

    JsonNode result = measured("sft --random tiny --batch 2 --steps 2", "--data", chats(6), "--dump", dump);

    JsonNode batches = new JsonMapper().readTree(Files.readString(dump));
    assertThat(batches.size()).isEqualTo(3);
    int all = 0;
    int trained = 0;
    for (int b = 1; b < 3; b++) {
      for (JsonNode datum : batches.get(b)) {
        assertThat(datum.get("targets").size()).isEqualTo(datum.get("inputs").size());
        all += datum.get("inputs").size();
        trained += (int) Stream.of(new JsonMapper().convertValue(datum.get("weights"), Float[].class))
            .filter(w -> w != 0).count();
      }
    }
    double ratio = result.get("trained_tokens_per_second").asDouble() / result.get("tokens_per_second").asDouble();
    assertThat(trained).isPositive().isLessThan(all);
    assertThat(ratio).isCloseTo((double) trained / all, within(1e-9));
  }

  @Test
  void sftMayBatchByTokensAndSaysWhenThereIsTooLittleData() throws Exception {
    Path dump = directory.resolve("tokens.json");
    measured("sft --random tiny --batch-tokens 80 --length 40 --steps 1", "--data", chats(8), "--dump", dump);

    for (JsonNode batch : new JsonMapper().readTree(Files.readString(dump))) {
      int tokens = 0;
      for (JsonNode datum : batch) {
        tokens += datum.get("inputs").size();
      }
      assertThat(tokens).isLessThanOrEqualTo(80);
    }

    Outcome little = bench("sft --random tiny --batch 2 --steps 5", "--data", chats(4));
    assertThat(little.code()).isEqualTo(1);
    assertThat(little.err()).contains("has only 2 batches, and 6 are needed").contains("--steps");
  }

  @Test
  void severalSamplesOfOnePromptAllCount() {
    JsonNode result = measured("decode --random tiny --prompt 4 --new 6 --samples 3 --steps 1");

    double tokens = result.get("tokens_per_second").asDouble() * result.get("seconds").asDouble();
    assertThat(tokens).isEqualTo(18, offset(1e-6));
    assertThat(result.get("ids").size()).isEqualTo(6);
  }

  @Test
  void adaptersAreDecodedInOneBatchOrInTurn() {
    JsonNode result = measured("adapters --random tiny --batch 3 --rank 2 --prompt 4 --new 6 --steps 1");

    assertThat(result.get("clients").asInt()).isEqualTo(3);
    assertThat(result.get("tokens_per_second").asDouble()).isPositive();
    assertThat(result.get("tokens_per_second_of_one_adapter").asDouble()).isPositive();
    assertThat(result.get("tokens_per_second_in_turn").asDouble()).isPositive();
  }

  @Test
  void aProfileSplitsAStepIntoPhasesThatAddUpToIt() {
    JsonNode result = measured("profile --random tiny --batch 2 --length 8 --steps 1");

    double sum = 0;
    for (JsonNode phase : result.get("phases")) {
      sum += phase.asDouble();
    }
    assertThat(sum).isCloseTo(result.get("seconds").asDouble(), within(1e-9));
    assertThat(result.get("phases").get("forward").asDouble()).isPositive();
    assertThat(result.get("phases").get("backward").asDouble()).isPositive();
    assertThat(result.get("phases").get("head and loss").asDouble()).isPositive();
    assertThat(result.get("phases").get("optimizer").asDouble()).isPositive();
    assertThat(Profile.stop()).as("the profile is off again").isEmpty();
    assertThat(result.get("operations").get("aten::mm").get("calls").asDouble()).isPositive();
  }

  @Test
  void aProfileOfDecodingNamesItsOperations() {
    JsonNode result = measured("profile --random tiny --batch 2 --new 4 --prompt 4 --steps 1");

    assertThat(result.get("tokens_per_second").asDouble()).isPositive();
    double argmax = result.get("operations").get("aten::argmax").get("calls").asDouble();
    assertThat(argmax).as("once a token").isBetween(0.9, 1.1);
    double last = Double.MAX_VALUE;
    for (JsonNode operation : result.get("operations")) {
      assertThat(operation.get("microseconds").asDouble()).isLessThanOrEqualTo(last);
      last = operation.get("microseconds").asDouble();
    }
    assertThat(result.get("operations").get("interpreter").get("microseconds").asDouble()).isPositive();
  }

  @Test
  void callsOfUnknownNameAreCountedAsCopies() {
    Map<String, Double> phases = BenchProfile.phases(Map.of("layer_forward", 1.0, "novel", 0.25), 2);

    assertThat(phases).containsEntry("forward", 1.0).containsEntry("copies", 0.25)
        .containsEntry("outside native calls", 0.75);
  }

  @ParameterizedTest
  @CsvSource({"length, 32", "rank, 4", "batch, 2", "adapters, 2", "layers, 2", "sequences, 2"})
  void aSweepWritesItsPointsAndAPicture(String what, int most) throws Exception {
    Path out = directory.resolve("figures");

    JsonNode result = measured("sweep --random tiny --batch 1 --length 8 --rank 2 --steps 1", "--what", what, "--most",
        most, "--out", out);

    List<String> csv = Files.readAllLines(out.resolve("sweep-" + what + ".csv"));
    assertThat(csv.get(0)).isEqualTo(what + ",tokens_per_second,seconds,peak_rss_bytes");
    assertThat(csv).hasSize(1 + result.get("values").size());
    assertThat(csv.get(csv.size() - 1)).startsWith(most + ",");
    BufferedImage picture = ImageIO.read(out.resolve("sweep-" + what + ".png").toFile());
    assertThat(picture.getWidth()).isEqualTo(900);
    assertThat(picture.getHeight()).isGreaterThan(1000);
  }

  @Test
  void anExponentIsTheSlopeOfLogarithms() {
    List<BenchSweep.Point> points = Stream.of(1, 2, 4, 8)
        .map(n -> new BenchSweep.Point(n, 0, 3 * Math.pow(n, 1.5), 1000)).toList();

    assertThat(BenchSweep.exponent(points, BenchSweep.Point::seconds)).isCloseTo(1.5, within(1e-12));
    assertThat(BenchSweep.exponent(points, BenchSweep.Point::peakBytes)).isCloseTo(0, within(1e-12));
  }

  @Test
  void aSavedModelIsOneToStartFrom() {
    Path model = directory.resolve("model");
    assertThat(measured("save --random tiny", "--out", model).get("model").asString()).isEqualTo(model.toString());

    JsonNode start = measured("start --batch 1 --length 8", "--model", model);

    assertThat(start.get("seconds").asDouble()).isGreaterThanOrEqualTo(start.get("seconds_before_step").asDouble());
    assertThat(start.get("seconds_before_step").asDouble()).isPositive();
  }

  @Test
  void threadsAndKernelsAreSetBeforeTheFirstUse() {
    measured("train --random tiny --batch 1 --length 4 --steps 1 --threads 1 --kernels plain");

    assertThat(System.getProperty("fettle.threads")).isEqualTo("1");
    assertThat(System.getProperty("fettle.kernels")).isEqualTo("plain");
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {
      "sft --random tiny | --data FILE is missing",
      "sft --random tiny --data none.jsonl --batch 2 --batch-tokens 9 | --batch and --batch-tokens exclude each other",
      "sweep --random tiny --out o | --what length|rank|batch|adapters|layers|sequences is missing",
      "sweep --random tiny --out o --what width | give one of length, rank, batch, adapters, layers, sequences",
      "sweep --random tiny --what rank | --out DIR is missing",
      "full --random tiny --rank 4 | unknown option \"--rank\"",
      "decode --random tiny --samples 0 | give at least 1",
      "train --random tiny --threads 0 | give at least 1",
      "train --random tiny --kernels fast | give one of auto, plain",
      "memory --setting nonsense | give one of lora-8-f32,",
      "start | one of --model and --random is missing",
      "save --model m --random tiny --out o | exclude each other",
  })
  void whatIsWrongIsNamed(String line, String message) {
    Outcome outcome = bench(line);

    assertThat(outcome.code()).isEqualTo(2);
    assertThat(outcome.err()).contains(message).contains("Bench ").contains("--help lists what can be given");
  }
}
