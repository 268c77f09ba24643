package dev.fettle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fettle.internal.checkpoint.EmbeddedModel;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.ranking.RankLoss;
import dev.fettle.ranking.Ranked;
import dev.fettle.recipes.Comparison;
import dev.fettle.recipes.ComparisonResult;
import dev.fettle.recipes.Distill;
import dev.fettle.recipes.Dpo;
import dev.fettle.recipes.Grpo;
import dev.fettle.recipes.Reward;
import dev.fettle.recipes.Run;
import dev.fettle.recipes.Sft;
import dev.fettle.support.ErrorStream;
import dev.fettle.support.Golden;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** An example longer than the model's context, of 512 tokens, ends no recipe in the middle, here and on a service. */
class LongExamplesTest {
  private static final String LONG = "word ".repeat(700);
  private static final SamplingParams BRIEF = SamplingParams.standard().maxTokens(4);

  @TempDir Path directory;
  @RegisterExtension
  final ErrorStream err = new ErrorStream();
  private static Fettle engine;
  private static FettleServer server;
  private static Fettle client;

  enum Place { LOCAL, REMOTE }

  @BeforeAll
  static void start() {
    engine = Fettle.local();
    server = FettleServer.serve(engine, engine.load("fettle-tiny", DType.F32)).start();
    client = Fettle.remote(Remote.at(server.uri()).key(() -> "tml-long"));
  }

  @AfterAll
  static void stop() {
    client.close();
    server.close();
    engine.close();
  }

  private static Training training(Place place) {
    return (place == Place.LOCAL ? engine.load("fettle-tiny", DType.F32) : client.load("fettle-tiny")).tune(Lora.rank(2));
  }

  private static Conversation chat(String user, String assistant) {
    return Conversation.of(Message.user(user), Message.assistant(assistant));
  }

  /** Two that fit; three that are cut, one of each form; two of which the cut leaves nothing that is trained. */
  private static Dataset examples() {
    return Dataset.of(chat("Hello!", "Hi."), chat("Say all.", LONG), new Text(LONG), new Completion("Go on:", LONG),
        chat(LONG, "Hi."), new Completion(LONG, "end"), new Completion("one", " two"));
  }

  private JsonNode about() {
    return Golden.json(directory.resolve("run/run.json")).path("settings").path("lengths");
  }

  private static int used(JsonNode lengths, String unit) {
    return lengths.path(unit).asInt();
  }

  @ParameterizedTest
  @EnumSource
  void theModelKnowsItsContext(Place place) {
    Training training = training(place);

    assertThat(training.model().contextLength()).isEqualTo(512);
    assertThat(training.renderer().contextLength()).hasValue(512);
    assertThat(training.model().sampler().renderer().contextLength()).hasValue(512);
    for (Batch batch : examples().batches(2, training.renderer())) {
      training.forwardBackward(batch, Loss.crossEntropy());
      training.optimStep(AdamW.learningRate(1e-3));
    }
    assertThat(training.steps()).isEqualTo(3);
  }

  @ParameterizedTest
  @EnumSource
  void supervisedTuningCutsThemAndSaysSoOnceWithTheirNumber(Place place) {
    Training training = training(place);

    Run run = Sft.on(training).data(examples()).validate(Dataset.of(chat("Hello!", "Hi."), new Text(LONG))).epochs(2)
        .batchSize(2).directory(directory.resolve("run")).run();

    assertThat(run.ending()).isEqualTo("all 5 steps done");
    assertThat(err.ofLengths()).hasSize(2);
    assertThat(err.ofLengths().get(0)).startsWith("sft: 5 of 7 sequences are longer than 512 tokens, the model's context "
        + "(the longest: example").contains("3 cut, 2 skipped, as the cut left nothing that is trained").contains("tooLong");
    assertThat(err.ofLengths().get(1)).startsWith("sft, validation data: 1 of 2 sequences are longer");
    assertThat(about().path("max_length").asInt()).isEqualTo(512);
    assertThat(about().path("too_long").asString()).isEqualTo("cut");
    assertThat(used(about(), "sequences")).isEqualTo(5);
    assertThat(about().path("cut").asInt()).isEqualTo(3);
    assertThat(about().path("skipped").asInt()).isEqualTo(2);
    assertThat(directory.resolve("run/report.html")).content().contains("lengths: cut");
  }

  @ParameterizedTest
  @EnumSource
  void supervisedTuningSkipsOrRefusesThem(Place place) {
    Training training = training(place);

    Run run = Sft.on(training).data(examples().tooLong(TooLong.SKIP)).batchSize(1).run();

    assertThat(run.steps()).hasSize(2);
    assertThat(err.ofLengths()).singleElement().asString().contains("5 of 7 sequences").contains(": 5 skipped.");
    Sft strict = Sft.on(training).data(examples().tooLong(TooLong.REFUSE)).directory(directory.resolve("run"));
    assertThatThrownBy(strict::run).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("sft: 5 of 7 sequences are longer than 512 tokens, the model's context")
        .hasMessageContaining("TooLong.CUT");
    assertThatThrownBy(() -> Sft.on(training).data(Dataset.of(chat("Hello!", "Hi."))).directory(directory.resolve("run"))
        .validate(examples().tooLong(TooLong.REFUSE)).run()).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("validation data: 5 of 7");
    assertThat(training.steps()).isEqualTo(2);
    assertThat(directory.resolve("run")).doesNotExist();
  }

  @Test
  void anInterruptedRunOverLongLinesEndsWithTheSameNumbers() throws IOException {
    Path file = directory.resolve("data.jsonl");
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < 12; i++) {
      lines.add(i % 3 == 1 ? "{\"text\": \"" + i + " " + LONG + "\"}" : "{\"text\": \"line " + i + "\"}");
    }
    Files.write(file, lines);
    for (TooLong tooLong : List.of(TooLong.CUT, TooLong.SKIP)) {
      Run whole = resumable(file, tooLong, directory.resolve(tooLong + "-whole"), Integer.MAX_VALUE);
      Path out = directory.resolve(tooLong + "-parts");
      assertThatThrownBy(() -> resumable(file, tooLong, out, 12 + 3 + 12 + 8)).hasMessageContaining("torn");

      Run parts = resumable(file, tooLong, out, Integer.MAX_VALUE);

      assertThat(whole.steps()).hasSize(tooLong == TooLong.CUT ? 12 : 8);
      assertThat(parts.values("loss")).isEqualTo(whole.values("loss"));
    }
  }

  private static Run resumable(Path file, TooLong tooLong, Path out, int lines) {
    AtomicInteger left = new AtomicInteger(lines);
    Dataset data = Dataset.jsonl(file, line -> {
      if (left.getAndDecrement() == 0) {
        throw new IllegalStateException("torn");
      }
      return new Text((String) line.get("text"));
    });
    return Sft.on(training(Place.LOCAL)).data(data.tooLong(tooLong)).epochs(2).batchSize(2).validateEvery(1).directory(out).run();
  }

  @ParameterizedTest
  @EnumSource
  void preferencesAreCutOrLeftOutByPairs(Place place) {
    Training training = training(place);
    List<Preference> pairs = List.of(Preference.of("Hello!", "Hi.", "No."), Preference.of("Say all.", "All.", LONG),
        Preference.of(LONG, "Hi.", "No."));

    Run run = Dpo.on(training).data(pairs).batchSize(1).directory(directory.resolve("run")).run();

    assertThat(run.steps()).hasSize(2);
    assertThat(err.ofLengths()).singleElement().asString().startsWith("dpo: 2 of 3 pairs are longer than 512 tokens")
        .contains("1 cut, 1 skipped");
    assertThat(used(about(), "pairs")).isEqualTo(2);
    assertThat(Dpo.on(training).data(pairs).batchSize(1).tooLong(TooLong.SKIP).run().steps()).hasSize(1);
    long steps = training.steps();
    assertThatThrownBy(() -> Dpo.on(training).data(pairs).tooLong(TooLong.REFUSE).run())
        .isInstanceOf(InvalidInputException.class).hasMessageContaining("2 of 3 pairs").hasMessageContaining("pair ");
    assertThatThrownBy(() -> Dpo.on(training).data(pairs.subList(2, 3)).run())
        .isInstanceOf(InvalidInputException.class).hasMessageContaining("1 pairs skipped as longer than 512 tokens");
    assertThatThrownBy(() -> Dpo.on(training).data(pairs).maxLength(4).tooLong(TooLong.REFUSE).run())
        .hasMessageContaining("3 of 3 pairs are longer than 4 tokens (");
    assertThatThrownBy(() -> Dpo.on(training).maxLength(1)).hasMessageContaining("maxLength = 1");
    assertThat(training.steps()).isEqualTo(steps);
  }

  @ParameterizedTest
  @EnumSource
  void promptsWithoutRoomForAnAnswerAreLeftOutOfReinforcement(Place place) {
    Training training = training(place);
    Reward reward = (prompt, answer) -> prompt.messages().get(0).content().length() > 1000 ? Double.NaN
        : answer.content().length();
    Grpo grpo = Grpo.on(training).prompts("Hello!", LONG, "Tell me.").reward(reward).steps(3).promptsPerStep(2).samples(2)
        .sampling(BRIEF);

    Run run = grpo.directory(directory.resolve("run")).run();

    assertThat(run.steps()).hasSize(3);
    assertThat(err.ofLengths()).singleElement().asString().startsWith("grpo: 1 of 3 prompts leave no room for an answer "
        + "within 512 tokens, the model's context (the longest: prompt 2").contains(": 1 skipped");
    assertThat(used(about(), "prompts")).isEqualTo(2);
    long steps = training.steps();
    assertThatThrownBy(() -> Grpo.on(training).prompts("Hello!", LONG).reward(reward).tooLong(TooLong.REFUSE).run())
        .isInstanceOf(InvalidInputException.class).hasMessageContaining("1 of 2 prompts leave no room");
    assertThatThrownBy(() -> Grpo.on(training).prompts(LONG).reward(reward).run())
        .isInstanceOf(InvalidInputException.class).hasMessageContaining("none of the 1 leaves room");
    assertThatThrownBy(() -> grpo.tooLong(TooLong.CUT)).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("a prompt cannot be cut");
    assertThat(training.steps()).isEqualTo(steps);
  }

  @ParameterizedTest
  @EnumSource
  void aPromptThatNearlyFillsTheContextGetsAShortAnswer(Place place) {
    Training training = training(place);
    int alone = training.renderer().prompt(Conversation.of(Message.user(" a"))).length;
    String words = " a".repeat(1 + 511 - alone);
    assertThat(training.renderer().prompt(Conversation.of(Message.user(words)))).hasSize(511);

    Run run = Grpo.on(training).prompts(words).reward((p, a) -> a.content().hashCode() % 7).steps(1).promptsPerStep(1)
        .samples(4).sampling(BRIEF).run();

    assertThat(run.values("answer_tokens")).containsExactly(1);
    assertThat(err.ofLengths()).isEmpty();
  }

  @ParameterizedTest
  @EnumSource
  void promptsWithoutRoomForAnAnswerAreLeftOutOfDistillation(Place place) {
    Training student = training(place);
    Sampler teacher = student.model().sampler();
    List<Conversation> prompts = Stream.of("Hello!", LONG, "Tell me.").map(m -> Conversation.of(Message.user(m))).toList();

    Run scored = Distill.on(student).teacher(teacher).prompts(prompts).steps(2).batchSize(2).sampling(BRIEF)
        .directory(directory.resolve("run")).run();
    Run copied = Distill.on(student).teacher(teacher).prompts(prompts).offPolicy().epochs(1).batchSize(1).sampling(BRIEF).run();

    assertThat(scored.steps()).hasSize(2);
    assertThat(used(about(), "prompts")).isEqualTo(2);
    assertThat(copied.steps()).hasSize(2);
    assertThat(err.ofLengths()).hasSize(2).allMatch(l -> l.startsWith("distill: 1 of 3 prompts leave no room"));
    for (Distill strict : List.of(Distill.on(student), Distill.on(student).offPolicy())) {
      assertThatThrownBy(() -> strict.teacher(teacher).prompts(prompts).tooLong(TooLong.REFUSE).run())
          .isInstanceOf(InvalidInputException.class).hasMessageContaining("1 of 3 prompts");
    }
    assertThatThrownBy(() -> Distill.on(student).tooLong(TooLong.CUT)).hasMessageContaining("a prompt cannot be cut");
  }

  @Test
  void aTeacherWithAShorterContextScoresWhatItHasRoomFor() throws IOException {
    Path small = Files.createDirectory(directory.resolve("small"));
    for (String file : List.of("generation_config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors")) {
      Files.copy(EmbeddedModel.directory().resolve(file), small.resolve(file));
    }
    String config = Files.readString(EmbeddedModel.directory().resolve("config.json"));
    Files.writeString(small.resolve("config.json"),
        config.replaceAll("\"max_position_embeddings\"\\s*:\\s*\\d+", "\"max_position_embeddings\": 24"));
    Sampler teacher = engine.load(small, DType.F32).sampler();
    Training student = training(Place.LOCAL);
    List<Conversation> prompts = Stream.of("Hello!", "word ".repeat(40)).map(m -> Conversation.of(Message.user(m))).toList();

    Run run = Distill.on(student).teacher(teacher).prompts(prompts).steps(2).batchSize(1)
        .sampling(SamplingParams.standard().maxTokens(60).temperature(9).ignoringEos()).run();
    Run copied = Distill.on(student).teacher(teacher).prompts(prompts).offPolicy().epochs(1).batchSize(1).sampling(BRIEF).run();

    int room = 24 - student.renderer().prompt(prompts.get(0)).length;
    assertThat(run.values("answer_tokens")).containsExactly(room, room);
    assertThat(copied.steps()).hasSize(1);
    assertThat(err.ofLengths()).hasSize(2).allMatch(l -> l.contains("1 of 2 prompts leave no room for an answer within 24"));
  }

  @Test
  void aTextToRankIsCutWhereTheEncoderStopsReadingAndThatIsSaidOnce() {
    Training training = engine.load(Golden.path("encoders/cls")).tune(Lora.rank(2));
    List<Ranked> fitting = List.of(Ranked.pair("heat", "gas jets"), Ranked.pair("drag", "lift"));
    List<Ranked> batch = List.of(Ranked.pair("heat", "gas jets"), Ranked.pair("drag", "heat ".repeat(30)));

    training.step(fitting, RankLoss.contrastive(0.5), AdamW.learningRate(1e-3));
    assertThat(err.ofLengths()).isEmpty();
    training.step(batch, RankLoss.contrastive(0.5), AdamW.learningRate(1e-3));
    training.step(batch, RankLoss.contrastive(0.5), AdamW.learningRate(1e-3));

    assertThat(err.ofLengths()).singleElement().asString().contains("a text to rank has 32 tokens, of which", "encoders/cls reads 12");
  }

  @Test
  void aComparisonHoldsAllItsDataToTheContext() {
    BaseModel model = engine.load("fettle-tiny", DType.F32);
    Dataset test = Dataset.of(chat("What?", LONG), chat("Why?", "So."));

    Comparison.of(model).method("lora", Lora.rank(1)).learningRates("lora", 1e-3).data(examples())
        .validation(Dataset.of(new Text("V " + LONG))).test(test).outside(Dataset.of(new Text("O " + LONG))).batchSize(2)
        .directory(directory.resolve("nll")).run();

    assertThat(err.ofLengths()).hasSize(4);
    assertThat(err.ofLengths().get(0)).startsWith("training data: 5 of 7 sequences");
    assertThat(err.ofLengths().get(2)).startsWith("test data: 1 of 2 sequences");
    Comparison exact = Comparison.of(model).method("lora", Lora.rank(1)).learningRates("lora", 1e-3).data(examples())
        .validation(Dataset.of(new Text("short"))).exactMatch().directory(directory.resolve("exact"));
    ComparisonResult compared = exact.test(Dataset.of(chat("a " + LONG, "Hi."), chat("Why?", "So."))).run();
    assertThat(compared.rows()).isNotEmpty();
    assertThat(err.ofLengths()).last().asString().startsWith("test data: 1 of 2 prompts leave no room");
    assertThatThrownBy(() -> exact.test(Dataset.of(chat("b " + LONG, "Hi."), chat("Why?", "So.")).tooLong(TooLong.REFUSE)).run())
        .isInstanceOf(InvalidInputException.class).hasMessageContaining("test data: 1 of 2 prompts");
    assertThatThrownBy(() -> exact.data(examples().tooLong(TooLong.REFUSE)).run())
        .isInstanceOf(InvalidInputException.class).hasMessageContaining("training data: 5 of 7 sequences");
  }
}
