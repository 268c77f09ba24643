package dev.fettle.recipes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.fettle.AdamW;
import dev.fettle.Batch;
import dev.fettle.Completion;
import dev.fettle.Conversation;
import dev.fettle.DType;
import dev.fettle.Dataset;
import dev.fettle.Fettle;
import dev.fettle.Full;
import dev.fettle.InvalidInputException;
import dev.fettle.Lora;
import dev.fettle.LossResult;
import dev.fettle.Message;
import dev.fettle.NumericException;
import dev.fettle.Schedule;
import dev.fettle.Text;
import dev.fettle.Training;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.json.JsonReader;
import dev.fettle.support.Golden;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SftTest {
  private static final List<String> WORDS = List.of("red", "blue", "green", "black", "white", "brown", "pink", "grey");

  @TempDir Path directory;
  private final Fettle fettle = Fettle.local();

  @AfterEach
  void close() {
    fettle.close();
  }

  private Training training() {
    return fettle.load("fettle-tiny", DType.F32).tune(Lora.rank(4));
  }

  private static Dataset colours(int from, int to, String answer) {
    List<Conversation> chats = new ArrayList<>();
    for (int i = from; i < to; i++) {
      String word = WORDS.get(i % WORDS.size());
      chats.add(Conversation.of(Message.user("I like " + word + " " + i), Message.assistant(answer + " " + word)));
    }
    return Dataset.of(chats);
  }

  @Test
  void aRunLearnsValidatesAndKeepsItsRecords() throws IOException {
    Path out = directory.resolve("run");

    Run run = Sft.on(training()).data(colours(0, 40, "colour:")).validate(colours(40, 48, "colour:")).epochs(4).batchSize(4)
        .learningRate(5e-3).directory(out).run();

    assertThat(run.steps()).hasSize(40);
    double[] validation = run.series("validation_loss").y();
    assertThat(validation).hasSize(10);
    assertThat(run.validationLoss()).isLessThan(validation[0] / 2);
    assertThat(run.values("learning_rate")[0]).isCloseTo(2.5e-3, within(1e-12));
    List<String> lines = Files.readAllLines(out.resolve("metrics.jsonl"));
    assertThat(lines).hasSize(40);
    JsonNode line = JsonReader.STANDARD.read(lines.get(3));
    assertThat(line.propertyNames()).containsExactly("step", "loss", "loss_sum", "weight", "gradient_norm", "tokens",
        "learning_rate", "seconds", "tokens_per_second", "sequences", "validation_loss");
    JsonNode about = Golden.json(out.resolve("run.json"));
    assertThat(about.path("settings").path("data_sha256").asString()).matches("[0-9a-f]{64}");
    assertThat(about.path("versions").path("java").asString()).contains(System.getProperty("java.version"));
    assertThat(about.path("machine").path("processors").asInt()).isPositive();
    assertThat(about.path("ending").asString()).isEqualTo("all 40 steps done");
    assertThat(run.toString()).hasSizeLessThanOrEqualTo(80).doesNotContain("<");
    assertThat(Sft.on(run.training()).toString()).hasSizeLessThanOrEqualTo(80);
  }

  @Test
  void theReportIsOnePageThatNeedsNothingElse() throws IOException {
    Path out = directory.resolve("run");

    Sft.on(training()).data(Dataset.of(new Completion("<b>&\"one\" two", " <script>alert(1)</script>"), new Text("Hello there")))
        .epochs(3).batchSize(1).directory(out).run();

    String page = Files.readString(out.resolve("report.html"));
    assertThat(page).startsWith("<!DOCTYPE html>").contains("data:image/png;base64,", "&lt;script&gt;alert(1)&lt;/script&gt;")
        .doesNotContain("<script", "http:", "https:", "<link", "@import", "url(");
    List<String> open = new ArrayList<>();
    var tags = Pattern.compile("<(/?)([a-z0-9]+)[^<>]*>").matcher(page);
    while (tags.find()) {
      if (!List.of("meta", "img", "source").contains(tags.group(2))) {
        if (tags.group(1).isEmpty()) {
          open.add(tags.group(2));
        } else {
          assertThat(open.remove(open.size() - 1)).isEqualTo(tags.group(2));
        }
      }
    }
    assertThat(open).isEmpty();
  }

  @Test
  void theBestWeightsAreKeptAndTheRunEndsWhenValidationWorsens() {
    Training training = training();
    Dataset held = colours(40, 48, "hue:");

    Run run = Sft.on(training).data(colours(0, 40, "colour:")).validate(held).epochs(10).batchSize(4).validateEvery(1)
        .schedule(n -> Schedule.constant(5e-3)).patience(4).run();

    assertThat(run.ending()).isEqualTo("no better validation loss 4 times in a row");
    assertThat(run.steps()).hasSize((int) run.best() + 4);
    double sum = 0;
    double weight = 0;
    for (Batch batch : held.batches(16, training.renderer())) {
      LossResult result = training.forward(batch);
      sum += result.loss();
      weight += result.weight();
    }
    assertThat(sum / weight).isCloseTo(run.validationLoss(), within(1e-6));
  }

  @Test
  void anInterruptedRunGoesOnAndEndsWithTheSameNumbers() throws IOException {
    Path file = directory.resolve("data.jsonl");
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < 40; i++) {
      text.append("{\"text\": \"").append(WORDS.get(i % 8)).append(' ').append(i).append(" is a colour\"}\n");
    }
    Files.writeString(file, text);
    Run whole = resumable(file, directory.resolve("whole"), Integer.MAX_VALUE);
    Path out = directory.resolve("parts");
    // One epoch is read to count; the run is torn in its second epoch.
    assertThatThrownBy(() -> resumable(file, out, 40 + 40 + 25)).hasMessageContaining("torn");
    assertThat(Golden.json(out.resolve("run.json")).path("ending").asString()).isEqualTo("running");

    Run parts = resumable(file, out, Integer.MAX_VALUE);

    assertThat(parts.values("loss")).isEqualTo(whole.values("loss"));
    assertThat(parts.values("validation_loss")).isEqualTo(whole.values("validation_loss"));
    assertThat(parts.best()).isEqualTo(whole.best());
    assertThat(Files.readAllLines(out.resolve("metrics.jsonl"))).hasSize(whole.steps().size());
    assertThatThrownBy(() -> resumable(file, out, Integer.MAX_VALUE)).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("has ended").hasMessageContaining(out.toString());
  }

  @Test
  void aRunWhoseThreadIsInterruptedLetsGoOfItsDirectory() throws Exception {
    Path file = Files.writeString(directory.resolve("data.jsonl"), "{\"text\": \"one two three\"}\n");
    Path out = directory.resolve("run");
    AtomicInteger reads = new AtomicInteger();
    Sft sft = Sft.on(training()).directory(out).data(Dataset.jsonl(file, line -> {
      // Read before: to count, and for the report.
      if (reads.incrementAndGet() == 3) {
        Thread.currentThread().interrupt();
      }
      return new Text((String) line.get("text"));
    }));

    assertThatThrownBy(() -> CompletableFuture.runAsync(sft::run).join()).hasMessageContaining("interrupted while waiting");
    assertThat(out.resolve("metrics.jsonl")).isEmptyFile();
    assertThat(Sft.on(training()).data(Dataset.jsonl(file)).directory(out).run().steps()).hasSize(1);
  }

  private Run resumable(Path file, Path out, int lines) {
    AtomicInteger left = new AtomicInteger(lines);
    Dataset data = Dataset.jsonl(file, line -> {
      if (left.getAndDecrement() == 0) {
        throw new IllegalStateException("torn");
      }
      return new Text((String) line.get("text"));
    });
    return Sft.on(training()).data(data).validate(colours(0, 4, "colour:")).epochs(2).batchSize(4).learningRate(3e-3)
        .validateEvery(3).directory(out).run();
  }

  @Test
  void aDirectoryOfAnotherRunIsRefused() throws IOException {
    Path out = directory.resolve("run");
    Dataset data = colours(0, 4, "colour:");
    Sft.on(training()).data(data).directory(out).run();
    Path about = out.resolve("run.json");
    Files.writeString(about, Files.readString(about).replaceAll("\"ending\" : \"[^\"]*\"", "\"ending\" : \"running\""));

    assertThatThrownBy(() -> Sft.on(training()).data(data).epochs(2).directory(out).run())
        .isInstanceOf(InvalidInputException.class).hasMessageContaining("epochs was 1 and is 2");
    Files.writeString(about, "{");
    assertThatThrownBy(() -> Sft.on(training()).data(data).directory(out).run())
        .isInstanceOf(InvalidInputException.class).hasMessageContaining("run.json");
  }

  @Test
  void whatOthersPutWhereARunKeepsItsFilesIsNamedBeforeTheFirstStep() throws IOException {
    Training training = training();
    for (String name : List.of("metrics.jsonl", "report.html", "checkpoint/notes.txt", "best/notes.txt")) {
      Path out = directory.resolve(name.replace('/', '-'));
      Path foreign = out.resolve(name);
      Files.createDirectories(foreign.getParent());
      Files.writeString(foreign, "mine");

      assertThatThrownBy(() -> Sft.on(training).data(colours(0, 4, "colour:")).directory(out).run())
          .isInstanceOf(InvalidInputException.class).hasMessageContaining("holds " + name.split("/")[0]);
      assertThat(foreign).hasContent("mine");
    }
    assertThat(training.steps()).isZero();
  }

  @Test
  void threeBatchesInARowWithoutAFiniteLossEndTheRun() {
    Sft sft = Sft.on(fettle.load("fettle-tiny", DType.F32).tune(Full.all())).data(colours(0, 40, "colour:"))
        .batchSize(4).schedule(n -> Schedule.constant(1e6)).optimizer(AdamW.standard().weightDecay(1e6));

    assertThatThrownBy(sft::run).isInstanceOf(NumericException.class).hasMessageContaining("third batch in a row")
        .hasMessageContaining("learning rate");
  }

  @Test
  void whatIsMissingOrWrongIsSaid() {
    Sft sft = Sft.on(training());

    assertThatThrownBy(sft::run).isInstanceOf(InvalidInputException.class).hasMessageContaining("data(");
    assertThatThrownBy(() -> sft.epochs(0)).isInstanceOf(InvalidInputException.class).hasMessageContaining("epochs 0");
    assertThatThrownBy(() -> sft.learningRate(Double.NaN)).isInstanceOf(InvalidInputException.class);
    assertThatThrownBy(() -> sft.data(null)).isInstanceOf(NullPointerException.class);
  }
}
