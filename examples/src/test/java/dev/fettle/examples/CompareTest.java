package dev.fettle.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CompareTest {
  @TempDir
  private static Path data;

  @TempDir
  private Path out;

  @BeforeAll
  static void write() {
    System.setProperty("fettle.progress", "off");
    assertThat(Outcome.of(CompareData::run, "--out", data.toString()).code()).isZero();
  }

  @AfterAll
  static void loud() {
    System.clearProperty("fettle.progress");
  }

  private Outcome compare(String more) {
    return compare(data.resolve("tickets-train.jsonl"), more);
  }

  private Outcome compare(Path train, String more) {
    Stream<String> args = Stream.of("--model", "fettle-tiny", "--dtype", "f32", "--train", train.toString(), "--out", out.toString());
    return Outcome.of(Compare::run, Stream.concat(args, Stream.of(more.replace("DATA", data.toString()).split(" ")))
        .toArray(String[]::new));
  }

  /** A file of the first lines of one. */
  private Path few(String file, int lines) throws IOException {
    return Files.write(out.resolve("few-" + file), Files.readAllLines(data.resolve(file)).subList(0, lines));
  }

  @Test
  void oneCommandPrintsATableAndGoesOnWhereItWasInterrupted() throws Exception {
    String line = "--test " + few("tickets-validation.jsonl", 20) + " --outside " + few("outside.jsonl", 10)
        + " --methods base,lora,full --ranks 2,4 "
        + "--steps 2 --batch 2 --rates lora-r2=1e-3,lora-r4=1e-3,full=1e-4:3e-4";
    Path train = few("tickets-train.jsonl", 100);
    Outcome first = compare(train, line);

    assertThat(first.err()).isEmpty();
    assertThat(first.out()).contains("| method | trained | learning rate | NLL | loss outside | forgotten | seconds |")
        .contains("| lora-r2 | ").contains("| lora-r4 | ").contains("| full | ").contains("Welch's t-test");
    assertThat(first.json().path("metric").asString()).isEqualTo("NLL");
    assertThat(first.json().path("full").asDouble()).isPositive();
    assertThat(out.resolve("quality.png")).exists();
    byte[] results = Files.readAllBytes(out.resolve("results.jsonl"));
    assertThat(compare(train, line).out()).isEqualTo(first.out());
    assertThat(Files.readAllBytes(out.resolve("results.jsonl"))).isEqualTo(results);
    assertThat(compare(train, line + " --epochs 2 --length 100").err()).contains("other settings");
  }

  @Test
  void foldsAreTestedTogetherByEveryExampleOnce() throws Exception {
    Path few = few("tickets-train.jsonl", 40);
    String[] line = ("--model fettle-tiny --dtype f32 --folds 2 --methods base,lora,full --ranks 2 --rates lora=1e-3,full=1e-4 "
        + "--batch 4 --train " + few + " --out " + out.resolve("folds")).split(" ");
    String[] equalSteps = Stream.concat(Stream.of(line), Stream.of("--steps", "2")).toArray(String[]::new);

    Outcome first = Outcome.of(Compare::run, equalSteps);

    assertThat(first.err()).isEmpty();
    assertThat(first.out()).contains("40 items in 2 parts", "| base | 0 |", "| lora | ", "| full | ", "paired randomisation test",
        "On the task (NLL): ");
    assertThat(first.json().path("full").asDouble()).isPositive();
    assertThat(out.resolve("folds/fold-2/results.jsonl")).exists();
    assertThat(Outcome.of(Compare::run, equalSteps).out()).isEqualTo(first.out());
  }

  @Test
  void aTimeGivesEachMethodItsOwnStepsWhichAreKept() throws Exception {
    Path few = few("tickets-train.jsonl", 12);
    Path judged = few("tickets-test.jsonl", 20);
    String[] line = ("--model fettle-tiny --dtype f32 --seconds 0.01 --methods lora,full --ranks 2 --rates lora=1e-3,full=1e-4 --batch 4 "
        + "--train " + few + " --test " + judged + " --validation " + judged + " --out " + out.resolve("time")).split(" ");

    Outcome outcome = Outcome.of(Compare::run, line);

    assertThat(outcome.err()).isEmpty();
    assertThat(outcome.out()).contains("20 items. ", "| steps |");
    assertThat(Files.readString(out.resolve("time/steps.json"))).contains("\"lora\":", "\"full\":");
    assertThat(Outcome.of(Compare::run, line).out()).isEqualTo(outcome.out());
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {
      "--test DATA/tickets-train.jsonl | 1000 of 1000 examples of the test data are in the training data",
      "--test DATA/tickets-test.jsonl --methods base,qlora | unknown method \"qlora\"",
      "--test DATA/tickets-test.jsonl --methods lora --rates full=1e-4 | learning rates of full, which is not trained here",
      "--test DATA/missing.jsonl | missing.jsonl",
      "--steps 3 | one of --test and --folds is missing",
      "--folds 2 --test DATA/tickets-test.jsonl | --test and --folds exclude each other",
      "--folds 1 | give at least 2",
      "--folds 2 --steps 3 --seconds 1 | --seconds and --steps exclude each other",
      "--folds 2 --methods lora --rates full=1e-4 | --rates has full, which is not trained here",
      "--test DATA/tickets-test.jsonl --seeds 2 | give at least 3",
      "--test DATA/tickets-test.jsonl --rates lora | --rates cannot have \"lora\"",
      "--test DATA/tickets-test.jsonl --ranks 4,x | --ranks N,N cannot be \"4,x\"",
      "--test DATA/tickets-test.jsonl --metric ndcg | see Rank",
      "--test DATA/tickets-test.jsonl --allow-overlap=yes | --allow-overlap takes no value"})
  void mistakesAreToldBeforeAnyStep(String line, String message) {
    Outcome outcome = compare(line);

    assertThat(outcome.err()).contains(message);
    assertThat(outcome.code()).isNotZero();
    assertThat(out.resolve("results.jsonl")).doesNotExist();
  }

  @Test
  void theDataOfATextAreItsPiecesInTurn() throws Exception {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < 700; i++) {
      text.append("Paragraph ").append(i).append(' ').append("word ".repeat(80)).append("\n\n");
    }
    Path file = Files.writeString(out.resolve("text.txt"), text);

    assertThat(Outcome.of(CompareData::run, "--out", out.toString(), "--file", file.toString()).code()).isZero();

    assertThat(Files.readAllLines(out.resolve("text-train.jsonl"))).hasSize(400).first().asString().contains("Paragraph 0 ");
    assertThat(Files.readAllLines(out.resolve("text-test.jsonl"))).hasSize(200).last().asString().contains("Paragraph 699 ");
  }
}
