package dev.fettle.recipes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.fettle.DType;
import dev.fettle.Dataset;
import dev.fettle.Fettle;
import dev.fettle.InvalidInputException;
import dev.fettle.Lora;
import dev.fettle.Schedule;
import dev.fettle.Text;
import dev.fettle.Training;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a run tells while it goes on, and what it does with the place of an earlier one. */
class RunListenerTest {
  private static final Dataset DATA = Dataset.of(Stream.of("red", "blue", "green", "black", "white", "brown")
      .map(word -> new Text("The colour is " + word)).toList());

  @TempDir private Path directory;
  private final Fettle fettle = Fettle.local();

  @AfterEach
  void close() {
    fettle.close();
  }

  private Sft sft() {
    return Sft.on(training()).data(DATA).batchSize(2).learningRate(3e-3).schedule(n -> Schedule.constant(3e-3));
  }

  private Training training() {
    return fettle.load("fettle-tiny", DType.F32).tune(Lora.rank(2));
  }

  /** Keeps what it is told, and throws at a step. */
  private static final class Told implements RunListener {
    private final List<String> words = new ArrayList<>();
    private final int fails;

    Told(int fails) {
      this.fails = fails;
    }

    @Override
    public void begin(Run run) {
      words.add(run.ending() + " after " + run.steps().size());
    }

    @Override
    public void step(Run.Step step) {
      words.add("step " + (int) step.value("step"));
      if (step.value("step") == fails) {
        throw new IllegalStateException("torn");
      }
    }

    @Override
    public void end(Run run) {
      words.add(run.ending());
    }
  }

  @Test
  void hearsOfTheBeginningOfEachStepAndOfTheEndOnceHoweverItComes() {
    Path out = directory.resolve("run");
    Told torn = new Told(2);
    assertThatThrownBy(() -> sft().saveEvery(1).directory(out).listen(torn, new Told(0)).run()).hasMessage("torn");
    assertThat(torn.words).containsExactly("running after 0", "step 1", "step 2", "ended by an error");

    Told whole = new Told(0);
    List<Double> losses = new ArrayList<>();
    Run run = sft().saveEvery(1).directory(out).listen(whole).listen(step -> losses.add(step.value("loss"))).run();

    // The second step was written, but its checkpoint was not.
    assertThat(whole.words).containsExactly("running after 1", "step 2", "step 3", "all 3 steps done");
    assertThat(losses).containsExactly(run.values("loss")[1], run.values("loss")[2]);
  }

  @Test
  void thePageIsThereFromTheFirstStepAndSaysThatTheRunGoesOn() throws IOException {
    Path page = directory.resolve("run/report.html");
    List<String> pages = new ArrayList<>();
    sft().directory(directory.resolve("run")).listen(step -> {
      try {
        pages.add(Files.readString(page));
      } catch (IOException e) {
        throw new IllegalStateException(e);
      }
    }).run();

    assertThat(pages.get(0)).contains("1 step", "running", "http-equiv=\"refresh\"", "data:image/png");
    assertThat(Files.readString(page)).contains("3 steps", "all 3 steps done").doesNotContain("refresh");
  }

  @Test
  void anEarlierRunIsReplacedOnlyByOneThatMayOverwriteIt() throws IOException {
    Path out = directory.resolve("run");
    double[] first = sft().directory(out).run().values("loss");
    assertThatThrownBy(() -> sft().directory(out).run()).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("has ended").hasMessageContaining("overwritten");
    assertThatThrownBy(() -> sft().saveEvery(1).epochs(2).directory(out).overwrite().listen(new Told(2)).run()).hasMessage("torn");

    Run second = sft().directory(out).overwrite().run();

    assertThat(second.values("loss")).as("begun anew, not resumed").isEqualTo(first);
    assertThat(Files.readAllLines(out.resolve("metrics.jsonl"))).hasSize(3);
    assertThat(Files.readString(out.resolve("run.json"))).contains("all 3 steps done");
    Files.writeString(out.resolve("checkpoint/thesis.txt"), "years of work");
    assertThatThrownBy(() -> sft().directory(out).overwrite().run()).hasMessageContaining("thesis.txt");
    assertThat(out.resolve("checkpoint/thesis.txt")).hasContent("years of work");
  }

  @Test
  void batchesThatAreAddedUpTeachWhatOneOfTheirSizeDoes() {
    double[] whole = sft().batchSize(4).epochs(2).run().values("loss");
    double[] parts = sft().batchSize(2).gradientAccumulation(2).epochs(2).run().values("loss");

    assertThat(parts).hasSameSizeAs(whole).hasSize(3);
    for (int i = 0; i < whole.length; i++) {
      assertThat(parts[i]).isCloseTo(whole[i], within(1e-5));
    }
  }

  @Test
  void aRunOfSoManyStepsReadsNoFurtherAndEndsThere() throws IOException {
    Path file = Files.writeString(directory.resolve("data.jsonl"), "{\"text\": \"one two\"}\n".repeat(10_100) + "broken\n");

    Run run = Sft.on(training()).data(Dataset.jsonl(file)).batchSize(2).steps(2).run();

    assertThat(run.ending()).isEqualTo("all 2 steps done");
    assertThat(run.values("sequences")).containsExactly(2, 2);
    assertThat(sft().steps(100).run().ending()).isEqualTo("all 3 steps done");
  }
}
