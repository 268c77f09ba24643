package dev.fettle.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

class ProgramsTest {
  private static final Path STORIES =
      Path.of(System.getProperty("fettle.shared", "../../shared"), "models", "stories260K", "hf");
  private static final String MODEL = STORIES.toString();

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

  @BeforeEach
  void needsTheModel() {
    assumeTrue(Files.isDirectory(STORIES), STORIES + " is not there: give -Dfettle.shared=DIR");
  }

  private Path data(String completion) throws Exception {
    Path file = directory.resolve("train.jsonl");
    String line = "{\"prompt\":\"Once upon a time\",\"completion\":\"" + completion + "\"}";
    Files.write(file, Collections.nCopies(8, line));
    return file;
  }

  @Test
  void scoreGivesTheLogprobsThatTransformersGives() {
    Outcome score = Outcome.of(Score::run, "--model", MODEL, "--dtype", "f32", "--tokens", "[1,403,407,261,378]");

    assertThat(score.code()).isZero();
    assertThat(score.out().lines()).hasSize(1);
    JsonNode logprobs = score.json().get("logprobs");
    double[] expected = {-0.24374309182167053, -0.017512690275907516, -0.012110160663723946, -0.0007238152320496738};
    assertThat(logprobs.size()).isEqualTo(expected.length);
    for (int i = 0; i < expected.length; i++) {
      assertThat(logprobs.get(i).asDouble()).isCloseTo(expected[i], within(1e-5));
    }
  }

  @Test
  void generatePrintsTheTextThatGreedyDecodingGivesAndNothingElse() {
    Outcome text = Outcome.of(Generate::run, "--model", MODEL, "--dtype", "f32", "--prompt", "Once upon a time",
        "--max-tokens", "20");

    assertThat(text.code()).isZero();
    assertThat(text.err()).isEmpty();
    assertThat(text.out()).startsWith(", there was a little girl named Lily. She loved to")
        .endsWith(System.lineSeparator());
  }

  @Test
  void samplingDependsOnTheSeedOnly() {
    String[] args = {"--model", MODEL, "--prompt", "Once", "--max-tokens", "16", "--temperature", "1", "--seed", "5"};

    String once = Outcome.of(Generate::run, args).out();
    assertThat(Outcome.of(Generate::run, args).out()).isEqualTo(once);
    args[args.length - 1] = "6";
    assertThat(Outcome.of(Generate::run, args).out()).isNotEqualTo(once);
  }

  @Test
  void tuneSavesAnAdapterThatGenerateAndScoreUse() throws Exception {
    Path adapter = directory.resolve("adapter");
    Outcome tune = Outcome.of(Tune::run, "--model", MODEL, "--data", data(", a red dog sat in the sun.").toString(),
        "--out", adapter.toString(), "--dtype", "f32", "--rank", "8", "--epochs", "40", "--batch", "8", "--lr", "2e-3");

    assertThat(tune.err()).isEmpty();
    assertThat(tune.code()).isZero();
    assertThat(tune.json().propertyNames()).containsExactly("loss_first", "loss_last", "steps", "tokens", "adapter");
    assertThat(tune.json().get("steps").asInt()).isEqualTo(40);
    assertThat(tune.json().get("loss_last").asDouble()).isLessThan(0.2 * tune.json().get("loss_first").asDouble());
    assertThat(tune.json().get("adapter").asString()).isEqualTo(adapter.toString());
    assertThat(adapter.resolve("adapter_model.safetensors")).exists();

    Outcome text = Outcome.of(Generate::run, "--model", MODEL, "--adapter", adapter.toString(), "--dtype", "f32",
        "--prompt", "Once upon a time", "--max-tokens", "30");
    assertThat(text.out()).startsWith(", a red dog sat in the sun.");

    String[] ids = {"--model", MODEL, "--dtype", "f32", "--tokens", "[1,403,407,261,378,100]"};
    String[] withAdapter = {"--model", MODEL, "--dtype", "f32", "--tokens", "[1,403,407,261,378,100]", "--adapter",
        adapter.toString()};
    assertThat(Outcome.of(Score::run, withAdapter).out()).isNotEqualTo(Outcome.of(Score::run, ids).out());
  }

  @Test
  void aPlaceThatTuneCannotSaveToIsRefusedBeforeTheFirstStep() throws Exception {
    Path data = data(" was a dog.");
    Path foreign = Files.createDirectory(directory.resolve("foreign"));
    Files.writeString(foreign.resolve("thesis.txt"), "years of work");

    for (Path out : List.of(foreign, data, data.resolve("adapter"), Path.of("/"))) {
      Outcome tune = Outcome.of(Tune::run, "--model", MODEL, "--data", data.toString(), "--out", out.toString());

      assertThat(tune.code()).isEqualTo(1);
      assertThat(tune.out()).as("nothing was loaded").isEmpty();
      assertThat(tune.err().lines()).singleElement().asString().startsWith(out + ": ").doesNotContain("Exception");
    }
    assertThat(foreign.resolve("thesis.txt")).hasContent("years of work");
  }

  @Test
  void aReadmeInTheAdaptersFolderStays() throws Exception {
    Path adapter = Files.createDirectory(directory.resolve("adapter"));
    Files.writeString(adapter.resolve("README.md"), "my adapter");

    for (int time = 0; time < 2; time++) {
      assertThat(Outcome.of(Tune::run, "--model", MODEL, "--data", data(" was a dog.").toString(), "--out",
          adapter.toString(), "--steps", "1", "--overwrite", time == 0 ? "no" : "yes")).matches(o -> o.code() == 0);
      assertThat(adapter.resolve("adapter_model.safetensors")).exists();
      assertThat(adapter.resolve("README.md")).hasContent("my adapter");
    }
  }

  @Test
  void tuningAllWeightsSavesAModel() throws Exception {
    Path model = directory.resolve("model");
    Outcome tune = Outcome.of(Tune::run, "--model", MODEL, "--data", data(" was a red dog.").toString(), "--out",
        model.toString(), "--dtype", "f32", "--method", "full", "--steps", "3", "--batch", "2", "--lr", "1e-3",
        "--schedule", "linear", "--length", "8");

    assertThat(tune.code()).isZero();
    assertThat(tune.json().get("steps").asInt()).isEqualTo(3);
    assertThat(tune.json().get("adapter").isNull()).isTrue();
    assertThat(tune.json().get("model").asString()).isEqualTo(model.toString());
    assertThat(tune.out()).contains("6 sequences: 6 cut at 8 tokens");
    assertThat(Outcome.of(Score::run, "--model", model.toString(), "--tokens", "[1,403]").code()).isZero();
  }

  private Outcome tune(Path data, String more) {
    return Outcome.of(Tune::run, Stream.concat(Stream.of("--model", "fettle-tiny", "--dtype", "f32", "--rank", "2", "--data",
        data.toString(), "--overwrite", "yes", "--out", directory.resolve("out").toString()), Stream.of(more.split(" "))).toArray(String[]::new));
  }

  private Path withALongLine() throws Exception {
    String text = "word ".repeat(700);
    return Files.write(directory.resolve("long.jsonl"), List.of("{\"text\":\"One.\"}", "{\"text\":\"Two.\"}",
        "{\"text\":\"" + text + "\"}", "{\"prompt\":\"" + text + "\",\"completion\":\"three\"}"));
  }

  @Test
  void aLineLongerThanTheContextIsCutSkippedOrRefusedBeforeTheFirstStep() throws Exception {
    Path data = withALongLine();
    Outcome cut = tune(data, "--batch 1");
    Outcome shorter = tune(data, "--batch 1 --length 100 --too-long cut");
    Outcome skipped = tune(data, "--batch 1 --too-long skip");

    assertThat(cut.err()).isEmpty();
    assertThat(cut.out()).contains("3 sequences: 1 cut at 512 tokens; 1 more skipped, too long or with nothing to learn");
    assertThat(cut.json().get("steps").asInt()).isEqualTo(3);
    assertThat(shorter.out()).contains("3 sequences: 1 cut at 100 tokens; 1 more skipped");
    assertThat(skipped.out()).contains("2 sequences: 0 cut at 512 tokens; 2 more skipped");
    Path out = directory.resolve("out/adapter_model.safetensors");
    byte[] before = Files.readAllBytes(out);
    Outcome refused = tune(data, "--batch 1 --too-long refuse");
    assertThat(refused.code()).isEqualTo(1);
    assertThat(refused.err().lines()).singleElement().asString()
        .contains("2 of 4 sequences are longer than 512 tokens, the model's context").contains("long.jsonl:");
    assertThat(Files.readAllBytes(out)).isEqualTo(before);
    assertThat(tune(data, "--too-long maybe").err()).contains("give one of cut, skip, refuse");
  }

  @Test
  void tuningBeginsBeforeAllIsRead() throws Exception {
    List<String> lines = new ArrayList<>(Collections.nCopies(10_100, "{\"text\":\"Once upon a time\"}"));
    lines.add("broken");
    Path data = Files.write(directory.resolve("broken.jsonl"), lines);

    for (String schedule : List.of("constant", "linear")) {
      Outcome tune = tune(data, "--steps 2 --epochs 2000 --batch 4 --schedule " + schedule);
      assertThat(tune.code()).as(tune.err()).isZero();
      assertThat(tune.json().get("steps").asInt()).isEqualTo(2);
    }
    assertThat(tune(data, "--schedule linear").err()).contains("broken.jsonl:10101");
  }

  @Test
  void benchCutsAtTheContextOfItsModel() throws Exception {
    Outcome bench = Outcome.of(Bench::run, "sft", "--random", "tiny", "--tokenizer", MODEL, "--data",
        withALongLine().toString(), "--length", "1000000", "--batch", "1", "--steps", "2");

    assertThat(bench.code()).as(bench.err()).isZero();
    assertThat(bench.json().get("loss").asDouble()).isPositive();
  }

  @Test
  void benchMeasuresTrainingWithALossThatDependsOnTheSeedOnly() {
    String[] args = {"train", "--model", MODEL, "--dtype", "f32", "--batch", "2", "--length", "16", "--steps", "2"};
    JsonNode result = Outcome.of(Bench::run, args).json();

    double tokens = result.get("tokens_per_second").asDouble() * result.get("seconds").asDouble();
    assertThat(tokens).isEqualTo(32, offset(1e-6));
    assertThat(result.get("peak_rss_bytes").isIntegralNumber()).isTrue();
    assertThat(result.get("loss").asDouble()).isPositive()
        .isEqualTo(Outcome.of(Bench::run, args).json().get("loss").asDouble());
  }

  @Test
  void benchMeasuresDecodingWithIdsThatDependOnTheSeedOnly() {
    String[] args = {"decode", "--random", "tiny", "--prompt", "4", "--new", "6", "--steps", "1", "--batch", "2"};
    JsonNode result = Outcome.of(Bench::run, args).json();

    assertThat(result.get("prompt_ids").size()).isEqualTo(4);
    assertThat(result.get("ids").size()).isEqualTo(6);
    double tokens = result.get("tokens_per_second").asDouble() * result.get("seconds").asDouble();
    assertThat(tokens).isEqualTo(12, offset(1e-6));
    assertThat(Outcome.of(Bench::run, args).json().get("ids")).isEqualTo(result.get("ids"));
  }

  @Test
  void anErrorIsOneLineAndTheExitCodeIsOne() {
    Outcome missing = Outcome.of(Score::run, "--model", directory.resolve("none").toString(), "--tokens", "[1,2]");
    Outcome outside = Outcome.of(Score::run, "--model", MODEL, "--tokens", "[1,99999]");

    assertThat(missing.code()).isEqualTo(1);
    assertThat(missing.out()).isEmpty();
    assertThat(missing.err().lines()).singleElement().asString().contains("none");
    assertThat(outside.code()).isEqualTo(1);
    assertThat(outside.err().lines()).singleElement().asString().contains("99999");
  }
}
