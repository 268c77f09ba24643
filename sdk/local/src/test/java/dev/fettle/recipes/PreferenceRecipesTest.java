package dev.fettle.recipes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.fettle.BaseModel;
import dev.fettle.Completion;
import dev.fettle.Conversation;
import dev.fettle.CustomLoss;
import dev.fettle.DType;
import dev.fettle.Dataset;
import dev.fettle.Datum;
import dev.fettle.Feedback;
import dev.fettle.Fettle;
import dev.fettle.FettleServer;
import dev.fettle.InvalidInputException;
import dev.fettle.Lora;
import dev.fettle.Message;
import dev.fettle.Preference;
import dev.fettle.Remote;
import dev.fettle.Text;
import dev.fettle.TooLong;
import dev.fettle.Training;
import dev.fettle.UnsupportedModelException;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.support.Golden;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Losses over answers against PyTorch, and that the recipes do what they say on a small model. */
class PreferenceRecipesTest {
  private static final List<String> WORDS = List.of("red", "blue", "green", "black", "white", "brown", "pink", "grey");
  private static final JsonNode GOLDEN = Golden.json("preferences.json");

  @TempDir Path directory;
  private final Fettle fettle = Fettle.local();

  @AfterEach
  void close() {
    fettle.close();
  }

  private static CustomLoss.Value value(CustomLoss loss) {
    List<Datum> data = new ArrayList<>();
    List<float[]> logprobs = new ArrayList<>();
    for (int i = 0; i < GOLDEN.get("logprobs").size(); i++) {
      logprobs.add(Golden.floats(GOLDEN.get("logprobs").get(i)));
      float[] weights = Golden.floats(GOLDEN.get("data_weights").get(i));
      data.add(Datum.supervised(new int[weights.length], new int[weights.length], weights));
    }
    return loss.of(data, logprobs);
  }

  private static void assertEqual(CustomLoss.Value value, String name) {
    JsonNode expected = GOLDEN.get(name);
    assertThat(value.loss()).isCloseTo(expected.get("loss").asDouble(), within(1e-9));
    for (int i = 0; i < value.gradient().size(); i++) {
      assertThat(value.gradient().get(i)).as("gradient " + i)
          .containsExactly(Golden.floats(expected.get("gradients").get(i)), within(1e-7f));
    }
    expected.properties().stream().filter(field -> !List.of("loss", "gradients").contains(field.getKey())).forEach(field ->
        assertThat(value.metrics().get(field.getKey())).as(field.getKey()).isCloseTo(field.getValue().asDouble(), within(1e-9)));
  }

  private static double number(String name) {
    return GOLDEN.get(name).asDouble();
  }

  private static List<Double> reference(String name) {
    List<Double> reference = new ArrayList<>();
    GOLDEN.get(name).forEach(value -> reference.add(value.asDouble()));
    return reference;
  }

  @Test
  void lossesOfPairsAndTheirGradientsEqualPyTorchs() {
    assertEqual(value(Dpo.loss(number("beta"), reference("reference"))), "dpo");
    assertEqual(value(SimPo.loss(number("beta"), number("gamma"))), "simpo");
    assertEqual(value(Orpo.loss(number("lambda"))), "orpo");
  }

  @Test
  void theLossOfFeedbackAndItsGradientEqualPyTorchs() {
    List<Boolean> good = new ArrayList<>();
    GOLDEN.get("good").forEach(value -> good.add(value.asBoolean()));
    double[] weights = {GOLDEN.get("weights").get(0).asDouble(), GOLDEN.get("weights").get(1).asDouble()};

    assertEqual(value(Kto.loss(number("beta"), good, reference("reference_below"), weights[0], weights[1])), "kto");
    assertEqual(value(Kto.loss(number("beta"), good, reference("reference_above"), weights[0], weights[1])), "kto_clamped");
  }

  @Test
  void theOddsOfACertainAnswerAreFinite() {
    Datum one = Datum.supervised(new int[] {1}, new int[] {1}, new float[] {1});

    CustomLoss.Value value = Orpo.loss(0.1).of(List.of(one, one), List.of(new float[] {-0f}, new float[] {-30}));

    assertThat(value.loss()).isFinite();
    assertThat(value.gradient()).allMatch(g -> Float.isFinite(g[0]));
  }

  private static List<Preference> pairs() {
    return WORDS.stream().map(word -> Preference.of("I like " + word + ".", "colour: " + word, "That is nice.")).toList();
  }

  private Training training() {
    return fettle.load("fettle-tiny", DType.F32).tune(Lora.rank(4));
  }

  @Test
  void whatIsPreferredBecomesLikelier() {
    Run simpo = SimPo.on(training()).data(pairs()).epochs(4).batchSize(4).learningRate(2e-3).run();
    Run orpo = Orpo.on(training()).data(pairs()).epochs(6).batchSize(4).learningRate(6e-3).directory(directory.resolve("orpo")).run();

    assertThat(simpo.last("margin", 2)).isGreaterThan(simpo.values("margin")[0] + 1);
    assertThat(simpo.last("accuracy", 2)).isEqualTo(1);
    assertThat(orpo.last("log_odds", 2)).isGreaterThan(orpo.values("log_odds")[0] + 1);
    assertThat(orpo.last("nll", 2)).isLessThan(orpo.values("nll")[0] - 1);
    assertThat(directory.resolve("orpo/report.html")).isRegularFile();
  }

  @Test
  void whatWasFoundGoodBecomesLikelierThanWhatWasNot() {
    List<Feedback> answers = new ArrayList<>();
    pairs().forEach(pair -> answers.addAll(Feedback.of(pair)));

    Run run = Kto.on(training()).data(answers).epochs(4).batchSize(8).learningRate(5e-3).run();

    assertThat(run.steps()).hasSize(8);
    assertThat(run.values("loss")[0]).isCloseTo(0.5, within(1e-4));
    assertThat(run.values("kl")[0]).isCloseTo(0, within(1e-3));
    assertThat(run.last("margin", 2)).isGreaterThan(0.5);
    assertThat(run.last("loss", 2)).isLessThan(0.45);
  }

  @Test
  void pairsAreFeedbackOnBothAnswers() {
    List<Preference> pairs = pairs().subList(0, 2);
    List<Feedback> answers = pairs.stream().flatMap(pair -> Feedback.of(pair).stream()).toList();

    double[] apart = Kto.on(training()).data(answers).batchSize(16).run().values("loss");
    double[] together = Kto.on(training()).data(Dataset.of(pairs)).batchSize(16).run().values("loss");

    assertThat(together).isEqualTo(apart);
  }

  @Test
  void theRewardModelScoresWhatIsPreferredHigher() {
    Training judge = training();
    List<Preference> unseen = List.of(Preference.of("I like gold.", "colour: gold", "That is nice."),
        Preference.of("I like silver.", "colour: silver", "That is nice."));

    Run run = RewardModel.on(judge).data(pairs()).epochs(4).batchSize(4).learningRate(3e-3).directory(directory.resolve("run")).run();

    double[] margin = run.values("margin");
    assertThat(run.values("loss")[0]).isPositive();
    assertThat(run.last("margin", 2)).isGreaterThan(margin[0] + 2);
    assertThat(run.last("accuracy", 2)).isEqualTo(1);
    assertThat(RewardModel.accuracy(judge, Dataset.of(unseen))).isEqualTo(1);
    Reward reward = RewardModel.reward(judge);
    Conversation asked = Conversation.of(Message.user("I like red."));
    assertThat(reward.of(asked, Message.assistant("colour: red")))
        .isEqualTo(judge.score("I like red.", List.of("colour: red"))[0])
        .isGreaterThan(reward.of(asked, Message.assistant("That is nice.")));
  }

  @Test
  void onAServiceTheyLearnTheSameAndTheRewardModelIsRefusedByName() {
    BaseModel model = fettle.load("fettle-tiny", DType.F32);
    List<Preference> pairs = pairs().subList(0, 4);
    List<Function<Training, Run>> recipes = List.of(
        training -> Dpo.on(training).data(pairs).batchSize(2).learningRate(1e-3).run(),
        training -> SimPo.on(training).data(pairs).batchSize(2).learningRate(1e-3).run(),
        training -> Orpo.on(training).data(pairs).batchSize(2).learningRate(1e-3).run(),
        training -> Kto.on(training).data(Dataset.of(pairs)).batchSize(4).learningRate(1e-3).run());
    try (FettleServer server = FettleServer.serve(fettle, model).token(() -> "tml-a").start();
        Fettle service = Fettle.remote(Remote.at(server.uri()).key(() -> "tml-a"))) {
      BaseModel far = service.load("fettle-tiny");
      for (Function<Training, Run> recipe : recipes) {
        double[] here = recipe.apply(model.tune(Lora.rank(2).seed(3))).values("loss");
        assertThat(recipe.apply(far.tune(Lora.rank(2).seed(3))).values("loss")).containsExactly(here, within(1e-5));
      }
      assertThatThrownBy(() -> RewardModel.on(far.tune(Lora.rank(2))).data(pairs).run())
          .isInstanceOf(UnsupportedModelException.class).hasMessageContaining("rankings of texts");
    }
  }

  @Test
  void whatIsMissingOrWrongIsSaid() {
    Training training = training();

    assertThatThrownBy(() -> Kto.on(training).run()).hasMessageContaining("Kto without data").hasMessageContaining("answer");
    assertThatThrownBy(() -> SimPo.on(training).run()).hasMessageContaining("SimPo without data").hasMessageContaining("pair");
    assertThatThrownBy(() -> RewardModel.on(training).run()).hasMessageContaining("data(");
    Dataset texts = Dataset.of(new Text("a b"));
    assertThatThrownBy(() -> Kto.on(training).data(texts).run()).hasMessageContaining("answer 1 is a Text").hasMessageContaining("label");
    assertThatThrownBy(() -> Orpo.on(training).data(texts).run()).hasMessageContaining("pair 1 is a Text")
        .hasMessageContaining("Orpo learns");
    assertThatThrownBy(() -> RewardModel.on(training).data(texts).run()).hasMessageContaining("pair 1 is a Text");
    assertThatThrownBy(() -> Kto.on(training).data(List.of(Feedback.of("a", "b", true))).run()).hasMessageContaining("at least 2");
    assertThatThrownBy(() -> SimPo.on(training).data(pairs()).maxLength(8).tooLong(TooLong.REFUSE).run())
        .hasMessageContaining("8 of 8 pairs");
    assertThatThrownBy(() -> SimPo.on(training).gamma(-1)).hasMessageContaining("gamma -1");
    assertThatThrownBy(() -> Kto.on(training).weights(1, 0)).hasMessageContaining("weight of undesirable answers 0");
    assertThatThrownBy(() -> training.renderer().render(Feedback.of("a", "b", false))).hasMessageContaining("Kto learns from it");
    assertThatThrownBy(() -> new Feedback(new Text("a"), true)).isInstanceOf(InvalidInputException.class);
    assertThatThrownBy(() -> new Feedback(Conversation.of(Message.user("a")), true)).hasMessageContaining("assistant's message");
    for (Object recipe : List.of(Kto.on(training), Orpo.on(training), SimPo.on(training), RewardModel.on(training),
        Feedback.of("a", "b", true), new Feedback(new Completion("a", "b"), false))) {
      assertThat(recipe.toString()).hasSizeLessThanOrEqualTo(80).doesNotContain("<");
    }
  }
}
