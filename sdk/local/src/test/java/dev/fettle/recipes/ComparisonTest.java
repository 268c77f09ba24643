package dev.fettle.recipes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import dev.fettle.BaseModel;
import dev.fettle.Batch;
import dev.fettle.Completion;
import dev.fettle.Conversation;
import dev.fettle.DType;
import dev.fettle.Dataset;
import dev.fettle.Fettle;
import dev.fettle.Full;
import dev.fettle.InvalidInputException;
import dev.fettle.Lora;
import dev.fettle.Loss;
import dev.fettle.Message;
import dev.fettle.Modules;
import dev.fettle.Renderer;
import dev.fettle.Text;
import dev.fettle.TrainOn;
import dev.fettle.Training;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ComparisonTest {
  private static final Dataset TRAIN = Dataset.of(words("train", 80));
  private static final Dataset TEST = Dataset.of(words("test", 6));
  private static final Dataset OTHER = Dataset.of(new Text("Once there was a small house."));

  private static Fettle fettle;
  private static BaseModel model;

  @TempDir
  private Path directory;

  /** What a made-up training has come to: a loop that needs no steps, so that outcomes can be chosen. */
  private final List<String> runs = new ArrayList<>();
  private Trial latest;

  @BeforeAll
  static void load() {
    fettle = Fettle.local();
    model = fettle.load("fettle-tiny", DType.F32);
  }

  @AfterAll
  static void close() {
    fettle.close();
  }

  private static List<Completion> words(String kind, int count) {
    List<Completion> all = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      all.add(new Completion("The " + kind + " word " + i + " is", " number " + i * i));
    }
    return all;
  }

  private Comparison real() {
    return Comparison.of(model).methods(List.of("base", "lora", "hybrid"), List.of(2)).data(TRAIN).test(TEST)
        .outside(OTHER).batchSize(4).steps(2).directory(directory);
  }

  /** A comparison whose validation loss is least at a rate. */
  private Comparison madeUp(double bestRate) {
    return Comparison.of(model).method("a", Lora.rank(1)).method("b", Lora.rank(2))
        .train(1, trial -> {
          latest = trial;
          runs.add(rank(trial.training()) + " " + trial.learningRate() + " " + trial.seed());
          trial.done(1, 10);
        })
        .validate(training -> Math.abs(Math.log(latest.learningRate() / bestRate)))
        .metric("score", true, training -> new double[] {rank(training) + 0.001 * (latest == null ? 0 : latest.seed())})
        .directory(directory);
  }

  private static int rank(Training training) {
    return ((Lora) training.tuning()).rank();
  }

  private List<String> lines() throws IOException {
    return Files.readAllLines(directory.resolve("results.jsonl"));
  }

  @Test
  void eachMethodIsSweptOnValidationDataAndThenRunWithEverySeed() throws IOException {
    ComparisonResult compared = real().run();

    assertThat(compared.rows()).extracting(ComparisonResult.Row::method).containsExactly("base", "lora", "hybrid");
    assertThat(compared.row("base").trained()).isZero();
    for (String method : List.of("lora", "hybrid")) {
      ComparisonResult.Row row = compared.row(method);
      assertThat(row.quality()).hasSize(3).doesNotHaveDuplicates();
      assertThat(row.outside()).hasSize(3);
      assertThat(row.trained()).isPositive();
      assertThat(row.tokensPerSecond()).isPositive();
      assertThat(row.savedBytes()).isPositive();
      assertThat(lines()).filteredOn(l -> l.contains("\"run\":\"sweep\",\"method\":\"" + method + "\""))
          .hasSizeGreaterThanOrEqualTo(3).allMatch(l -> l.contains("\"seed\":0,"));
      assertThat(lines()).filteredOn(l -> l.contains("\"run\":\"seed\",\"method\":\"" + method + "\""))
          .hasSize(3).allMatch(l -> l.contains("\"learning_rate\":" + row.learningRate()));
    }
    assertThat(compared.row("hybrid").savedBytes()).isGreaterThan(compared.row("lora").savedBytes());
    assertThat(directory).isDirectoryContaining("glob:**quality.png").isDirectoryContaining("glob:**losses.png")
        .isDirectoryContaining("glob:**learning-rates.png").isDirectoryNotContaining("glob:**artefact");
    assertThat(directory.resolve("report.md")).content().isEqualTo(compared.markdown());
  }

  @Test
  void theLossOfTheBaseIsThatOfAForwardPassOverTheWholeTestData() {
    ComparisonResult compared = Comparison.of(model).method("none", Lora.rank(1)).data(TRAIN).test(TEST).outside(OTHER)
        .train(1, trial -> trial.done(1, 1)).learningRates("none", 1e-3).directory(directory).run();

    Renderer renderer = model.renderer();
    try (Training untouched = model.tune(Lora.rank(1))) {
      double test = untouched.forward(TEST.batches(6, renderer).iterator().next()).meanLoss();
      double other = untouched.forward(OTHER.batches(1, renderer).iterator().next()).meanLoss();
      assertThat(compared.row("base").meanQuality()).isEqualTo(test, within(1e-5));
      assertThat(compared.row("base").meanOutside()).isEqualTo(other, within(1e-5));
      assertThat(compared.row("none").meanQuality()).isEqualTo(test, within(1e-5));
    }
    assertThat(compared.quality()).allMatch(ComparisonResult.Pair::isTie);
    assertThat(compared.markdown()).contains("tied at the top");
  }

  @Test
  void exactMatchCountsWhatGreedyDecodingAnswers() {
    String question = "What is the first letter of lamp?";
    String answer = model.sampler().chat(question);
    Dataset test = Dataset.of(Conversation.of(Message.user(question), Message.assistant(" " + answer)),
        Conversation.of(Message.user(question), Message.assistant(answer + " not so")));

    ComparisonResult compared = Comparison.of(model).method("none", Lora.rank(1)).data(TRAIN).test(test).exactMatch()
        .train(1, trial -> trial.done(1, 1)).learningRates("none", 1e-3).directory(directory).run();

    assertThat(compared.row("base").meanQuality()).isEqualTo(0.5);
    assertThat(compared.metric()).isEqualTo("exact match");
  }

  @Test
  void aSweepGoesOnWhereTheBestIsAtTheEdge() {
    ComparisonResult compared = madeUp(0.02).learningRates("b", 0.02).run();

    assertThat(runs).startsWith("1 1.58E-4 0", "1 5.0E-4 0", "1 0.00158 0", "1 0.005 0", "1 0.0158 0", "1 0.05 0", "1 0.0158 1",
        "1 0.0158 2", "1 0.0158 3", "2 0.02 1").hasSize(12);
    assertThat(compared.row("a").learningRate()).isEqualTo(0.0158);
    assertThat(compared.markdown()).doesNotContain("may lie beyond");
  }

  @Test
  void aBestRateAtTheEndOfWhatWasTriedIsSaid() {
    ComparisonResult compared = madeUp(1e-9).learningRates("b", 0.02).run();

    assertThat(runs).hasSize(3 + 4 + 3 + 3);
    assertThat(compared.markdown()).contains("The best learning rate of a is the last that was tried on that side");
  }

  @Test
  void ratesThatDivergeAreNeverTheBest() throws IOException {
    ComparisonResult compared = madeUp(1).learningRates("b", 0.02)
        .train(1, trial -> {
          latest = trial;
          trial.done(trial.learningRate() > 2e-4 ? Double.NaN : 1, 10);
        }).learningRates("b", 1e-4).run();

    assertThat(compared.row("a").learningRate()).isEqualTo(1.58e-4);
    assertThat(compared.row("a").diverged()).isZero();
    assertThat(lines()).anyMatch(l -> l.contains("\"learning_rate\":5.0E-4,\"seed\":0,\"diverged\":true"));
  }

  @Test
  void whatWasInterruptedGoesOnAndEndsAsIfItHadNot(@TempDir Path whole) throws IOException {
    ComparisonResult expected = real().directory(whole).run();
    int[] left = {5};
    Comparison stopping = real().train(2, trial -> {
      if (left[0]-- == 0) {
        throw new IllegalStateException("interrupted");
      }
      steps(trial);
    });
    Comparison goingOn = real().train(2, trial -> {
      runs.add("made");
      steps(trial);
    });

    assertThatThrownBy(stopping::run).hasMessage("interrupted");
    ComparisonResult compared = goingOn.run();
    int all = lines().size() - 2;

    assertThat(runs).hasSize(all - 5);
    assertThat(goingOn.run().rows()).isEqualTo(compared.rows());
    assertThat(runs).hasSize(all - 5);
    for (ComparisonResult.Row row : expected.rows()) {
      // Sums of the same numbers may be taken in another order: the last digits of 32 bits differ from run to run.
      assertThat(compared.row(row.method()).meanQuality()).isCloseTo(row.meanQuality(), withinPercentage(1e-3));
      assertThat(compared.row(row.method()).meanOutside()).isCloseTo(row.meanOutside(), withinPercentage(1e-3));
      assertThat(compared.row(row.method()).learningRate()).isEqualTo((Double) row.learningRate());
    }
  }

  /** What a comparison does by itself, with the data that it leaves after the split. */
  private static void steps(Trial trial) {
    int made = 0;
    Dataset data = TRAIN.split(0.9, 0.1)[0].shuffle(trial.seed());
    for (Batch batch : data.batches(4, model.renderer().trainOn(TrainOn.ALL_ASSISTANT_MESSAGES))) {
      trial.done(trial.training().step(batch, Loss.crossEntropy(), trial.settings()).loss().meanLoss(), batch.tokens());
      if (++made == trial.steps()) {
        return;
      }
    }
  }

  @Test
  void otherSettingsInTheSameDirectoryAreRefusedByName() {
    madeUp(5e-4).setting("data", "one").run();
    int made = runs.size();

    assertThatThrownBy(() -> madeUp(5e-4).setting("data", "two").run()).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("results.jsonl").hasMessageContaining("data one, now two");
    assertThat(runs).hasSize(made);
    madeUp(5e-4).setting("data", "one").seeds(4).run();
    assertThat(runs).hasSize(made + 2);
  }

  @Test
  void aDifferenceWithinTheSpreadIsATieAndOneBeyondItIsNot() {
    double[][] scores = {{0.50, 0.70, 0.60}, {0.55, 0.75, 0.64}, {0.90, 0.91, 0.92}};
    ComparisonResult compared = madeUp(5e-4).method("c", Lora.rank(3))
        .metric("score", true, training -> new double[] {latest == null ? 0.1 : scores[rank(training) - 1][(int) latest.seed() - 1]})
        .run();

    Optional<ComparisonResult.Pair> close = compared.quality().stream()
        .filter(p -> p.first().equals("a") && p.second().equals("b")).findFirst();
    assertThat(close.orElseThrow().isTie()).isTrue();
    assertThat(compared.quality().stream().filter(p -> p.first().equals("base") && p.second().equals("c")).findFirst()
        .orElseThrow().isTie()).isFalse();
    assertThat(compared.markdown()).contains("Welch's t-test").contains("Holm").contains("a tie with a")
        .contains("| c | ").contains("0.9100 ± 0.0100").contains("no single best; tied at the top are c, b, a")
        .doesNotContain("randomisation");
  }

  @Test
  void valuesByItemMustDifferBeyondChanceToo() {
    double[] few = {1, 1, 1, 0, 0, 0, 0, 0, 0, 0};
    double[] more = {1, 1, 1, 1, 0, 0, 0, 0, 0, 0};
    ComparisonResult compared = madeUp(5e-4)
        .metric("score", true, training -> rank(training) == 2 ? more : few).run();

    assertThat(compared.quality()).hasSize(3).allMatch(ComparisonResult.Pair::isTie);
    assertThat(compared.markdown()).contains("paired randomisation test over test items");
  }

  @Test
  void mistakesAreFoundBeforeAnyStep() throws IOException {
    Path blank = Files.writeString(directory.resolve("blank.jsonl"), "\n\n");
    Map<String, Runnable> mistakes = Map.of(
        "unknown method \"qlora\"; there are base, lora", () -> real().methods(List.of("qlora"), List.of(4)),
        "method none: ", () -> madeUp(1).method("none", Lora.rank(2).targetModules(Modules.named("no_such"))).run(),
        "learning rates of full, which is not trained here", () -> madeUp(1).learningRates("full", 1e-4).run(),
        "fixed learning rate", () -> madeUp(1).method("fixed", Full.all().learningRate(1e-4)),
        "give at least 3", () -> real().seeds(2),
        "6 of 30 examples of the test data are in the training data",
        () -> Comparison.of(model).methods(List.of("lora"), List.of(2)).data(TEST).directory(directory)
            .test(Dataset.of(java.util.stream.Stream.concat(words("test", 6).stream(), words("train", 24).stream()).toList()))
            .run(),
        "examples of the validation data", () -> real().validation(TRAIN.take(3)).run(),
        "blank.jsonl", () -> real().outside(Dataset.jsonl(blank)).run(),
        "has no answer to match", () -> real().test(OTHER).exactMatch().run(),
        "no directory", () -> Comparison.of(model).methods(List.of("lora"), List.of(2)).run());

    mistakes.forEach((message, mistake) -> assertThatThrownBy(mistake::run).as(message)
        .isInstanceOf(InvalidInputException.class).hasMessageContaining(message));
    assertThat(runs).isEmpty();
    assertThat(directory.resolve("results.jsonl")).doesNotExist();
  }

  @Test
  void anOverlapThatIsAllowedIsCompared() {
    ComparisonResult compared = Comparison.of(model).methods(List.of("lora"), List.of(2)).data(TRAIN).test(TRAIN.take(4))
        .batchSize(4).steps(1).learningRates("lora", 1e-3).allowOverlap().directory(directory).run();

    assertThat(compared.row("lora").quality()).hasSize(3);
  }

  @Test
  void valuesPrintThemselvesOnOneLine() {
    ComparisonResult compared = madeUp(5e-4).run();

    for (Object value : Arrays.asList(madeUp(1), latest, compared, compared.rows().get(1), compared.quality().get(0))) {
      assertThat(value.toString()).hasSizeLessThanOrEqualTo(80).doesNotContain("<", ">", "\n");
    }
  }
}
