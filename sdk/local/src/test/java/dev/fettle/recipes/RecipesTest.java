package dev.fettle.recipes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.fettle.BaseModel;
import dev.fettle.Conversation;
import dev.fettle.CustomLoss;
import dev.fettle.DType;
import dev.fettle.Dataset;
import dev.fettle.Datum;
import dev.fettle.Fettle;
import dev.fettle.InvalidInputException;
import dev.fettle.Lora;
import dev.fettle.Message;
import dev.fettle.Sample;
import dev.fettle.Sampler;
import dev.fettle.SamplingParams;
import dev.fettle.Training;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.support.Golden;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** DPO, GRPO and distillation: their arithmetic against golden values, and that they do what they say on a small model. */
class RecipesTest {
  @TempDir Path directory;
  private final Fettle fettle = Fettle.local();

  @AfterEach
  void close() {
    fettle.close();
  }

  private static JsonNode golden(String name) {
    return Golden.json(Golden.shared("reference/golden_numerics.json")).get(name);
  }

  private static double[] doubles(JsonNode array) {
    double[] out = new double[array.size()];
    for (int i = 0; i < out.length; i++) {
      out[i] = array.get(i).asDouble();
    }
    return out;
  }

  private static Datum answer(int prompt, int tokens) {
    float[] weights = new float[prompt + tokens];
    java.util.Arrays.fill(weights, prompt, weights.length, 1);
    return Datum.of(new int[prompt + tokens], weights);
  }

  @Test
  void theLossOfDpoEqualsTheGoldenValue() {
    JsonNode dpo = golden("dpo");
    // The prompt's logprobs must not count.
    List<float[]> logprobs = List.of(new float[] {-9, -2, -10}, new float[] {-7, -14.5f});

    CustomLoss.Value value = Dpo.loss(dpo.get("beta").asDouble(), List.of(-12.5, -14.0))
        .of(List.of(answer(2, 2), answer(2, 1)), logprobs);

    assertThat(value.loss()).isCloseTo(dpo.get("loss").asDouble(), within(1e-12));
    assertThat(value.metrics().get("margin")).isCloseTo(dpo.get("margin").asDouble(), within(1e-12));
    assertThat(value.metrics().get("chosen_reward")).isCloseTo(dpo.get("chosen_reward").asDouble(), within(1e-12));
    assertThat(value.metrics().get("rejected_reward")).isCloseTo(dpo.get("rejected_reward").asDouble(), within(1e-12));
    assertThat(value.metrics()).containsEntry("accuracy", 1.0);
  }

  @Test
  void theGradientOfDpoIsTheSlopeOfItsLoss() {
    List<Datum> data = List.of(answer(2, 2), answer(2, 1), answer(1, 2), answer(1, 3));
    CustomLoss loss = Dpo.loss(0.3, List.of(-3.0, -1.0, -2.0, -2.5));
    List<float[]> at = new ArrayList<>();
    data.forEach(d -> at.add(new float[d.length()]));
    CustomLoss.Value value = loss.of(data, at);

    for (int i = 0; i < data.size(); i++) {
      for (int j = 0; j < data.get(i).length(); j++) {
        at.get(i)[j] = 0.01f;
        double up = loss.of(data, at).loss();
        at.get(i)[j] = -0.01f;
        double down = loss.of(data, at).loss();
        at.get(i)[j] = 0;
        assertThat((double) value.gradient().get(i)[j]).isCloseTo((up - down) / 0.02f, within(1e-6));
      }
    }
  }

  @Test
  void groupAdvantagesEqualTheGoldenValues() {
    JsonNode golden = golden("group_advantages");
    double[] rewards = doubles(golden.get("rewards"));

    assertThat(Grpo.advantages(rewards, false)).containsExactly(doubles(golden.get("tinker_centered")), within(1e-12));
    assertThat(Grpo.advantages(rewards, true)).containsExactly(doubles(golden.get("trl_scaled(std unbiased, eps 1e-4)")), within(1e-9));
    assertThat(Grpo.advantages(new double[] {3, 3}, true)).containsExactly(0, 0);
  }

  @Test
  void theLossOfASampledAnswerEqualsTheGoldenValue() {
    JsonNode inputs = golden("inputs");
    JsonNode expected = golden("importance_sampling");
    int[] targets = Golden.ints(inputs.get("target_tokens"));
    Sample sample = new Sample(new int[] {targets[2], targets[3], targets[4]}, new float[] {-1.7f, -1.2f, -3.1f}, "", Sample.StopReason.STOP);

    Datum datum = Datum.sampled(new int[] {1, targets[0], targets[1]}, sample, 0.75f, -0.5f, 1.25f);

    assertThat(datum.targets()).isEqualTo(targets);
    assertThat(datum.inputs()).containsExactly(1, targets[0], targets[1], targets[2], targets[3]);
    assertThat(datum.logprobs()).isEqualTo(Golden.floats(inputs.get("sampling_logprobs")));
    assertThat(datum.advantages()).isEqualTo(Golden.floats(inputs.get("advantages")));
    double[] p = doubles(expected.get("logprobs"));
    double sum = 0;
    for (int i = 0; i < p.length; i++) {
      sum -= Math.exp(p[i] - datum.logprobs()[i]) * datum.advantages()[i];
    }
    assertThat(sum).isCloseTo(expected.get("loss_sum").asDouble(), within(1e-6));
    assertThatThrownBy(() -> Datum.sampled(new int[] {1}, sample, 1, 2)).isInstanceOf(InvalidInputException.class);
  }

  @Test
  void dpoPrefersWhatWasChosen() throws IOException {
    Training training = fettle.load("fettle-tiny", DType.F32).tune(Lora.rank(4));
    Path file = directory.resolve("pairs.jsonl");
    StringBuilder lines = new StringBuilder();
    for (String word : List.of("red", "blue", "green", "black", "white", "brown", "pink", "grey")) {
      lines.append("{\"prompt\": \"I like ").append(word).append(".\", \"chosen\": \"colour: ").append(word)
          .append("\", \"rejected\": \"That is nice.\"}\n");
    }
    Files.writeString(file, lines);

    Run run = Dpo.on(training).data(Dataset.jsonl(file)).epochs(8).batchSize(4).learningRate(2e-3)
        .directory(directory.resolve("run")).run();

    assertThat(run.steps()).hasSize(16);
    assertThat(run.values("loss")[0]).isCloseTo(Math.log(2), within(1e-4));
    assertThat(run.values("margin")[0]).isCloseTo(0, within(1e-3));
    assertThat(run.last("margin", 2)).isGreaterThan(1);
    assertThat(run.last("accuracy", 2)).isEqualTo(1);
    assertThat(directory.resolve("run/report.html")).isRegularFile();
    Files.writeString(file, "{\"prompt\": \"a\", \"chosen\": 1, \"rejected\": \"b\"}\n");
    assertThatThrownBy(() -> Dpo.on(training).data(Dataset.jsonl(file)).run()).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("pairs.jsonl:1").hasMessageContaining("chosen");
  }

  @Test
  void grpoRaisesTheRewardAndThePenaltyHoldsTheModelNearItsBase() {
    double free = reward(0);
    double held = reward(2);

    assertThat(held).isLessThan(free);
  }

  /** The divergence from the base after a few steps toward short answers. */
  private double reward(double kl) {
    BaseModel model = fettle.load("fettle-tiny", DType.F32);
    Training training = model.tune(Lora.rank(4));
    Run run = Grpo.on(training).prompts("Hello!", "Where is my parcel 12345?", "Tell me a story.").samples(6).promptsPerStep(3)
        .reward((prompt, answer) -> -answer.content().length() / 50.0).steps(12).kl(kl).learningRate(3e-3)
        .sampling(SamplingParams.standard().maxTokens(40)).run();

    assertThat(run.metrics()).contains("reward", "reward_deviation", "answer_tokens");
    if (kl == 0) {
      assertThat(run.last("reward", 3)).isGreaterThan(run.values("reward")[0] + 0.1);
    } else {
      assertThat(run.metrics()).contains("kl_base");
    }
    try (Sampler policy = training.sampler(); Sampler base = model.sampler()) {
      int[] prompt = training.renderer().prompt(Conversation.of(Message.user("Tell me a story.")));
      double sum = 0;
      for (Sample sample : policy.sample(prompt, SamplingParams.standard().maxTokens(20).samples(8))) {
        for (float ratio : Episode.of(prompt, sample).ratios(base)) {
          sum += ratio;
        }
      }
      return sum;
    }
  }

  @Test
  void aStepInWhichAllAnswersAreAsGoodTeachesNothing() {
    Training training = fettle.load("fettle-tiny", DType.F32).tune(Lora.rank(2));

    Run run = Grpo.on(training).prompts("Hello!").samples(2).promptsPerStep(1).steps(2).reward((p, a) -> 1)
        .sampling(SamplingParams.standard().maxTokens(4)).run();

    assertThat(training.steps()).isZero();
    assertThat(run.values("reward")).containsExactly(1, 1);
    assertThat(run.values("loss")).containsOnly(Double.NaN);
  }

  @Test
  void answersEndAtTheCallersStopTextsToo() {
    Training training = fettle.load("fettle-tiny", DType.F32).tune(Lora.rank(2));
    List<String> answers = new ArrayList<>();

    Grpo.on(training).prompts("Hello!").samples(4).promptsPerStep(1).steps(1).reward((p, a) -> {
      answers.add(a.content());
      return 1;
    }).sampling(SamplingParams.standard().maxTokens(40).stop(" ")).run();

    // A token may go on after the stop text that it holds.
    assertThat(answers).hasSize(4).allMatch(answer -> answer.chars().filter(c -> c == ' ').count() <= 1);
  }

  @Test
  void theStudentCopiesTheTeacherAndThenComesNearItOnItsOwnAnswers() {
    BaseModel model = fettle.load("fettle-tiny", DType.F32);
    Training taught = model.tune(Lora.rank(4));
    List<Conversation> prompts = new ArrayList<>();
    List<Conversation> lessons = new ArrayList<>();
    for (String word : List.of("red", "blue", "green", "black", "white", "brown", "pink", "grey")) {
      prompts.add(Conversation.of(Message.user("I like " + word + ".")));
      lessons.add(Conversation.of(Message.user("I like " + word + "."), Message.assistant("colour: " + word)));
    }
    Sft.on(taught).data(Dataset.of(lessons)).epochs(12).batchSize(4).learningRate(5e-3).run();
    Sampler teacher = taught.sampler();
    Training student = model.tune(Lora.rank(4));
    SamplingParams brief = SamplingParams.standard().maxTokens(16);

    Run copied = Distill.on(student).teacher(teacher).prompts(prompts).offPolicy().epochs(3).batchSize(4).learningRate(5e-3)
        .sampling(brief).run();
    Run scored = Distill.on(student).teacher(teacher).prompts(prompts).steps(30).batchSize(16).learningRate(1e-3)
        .sampling(brief).directory(directory.resolve("run")).run();

    assertThat(copied.last("loss", 2)).isLessThan(copied.values("loss")[0] / 2);
    double[] divergence = scored.values("reverse_kl");
    assertThat(java.util.Arrays.stream(divergence).limit(5).average().orElseThrow()).isGreaterThan(0.1);
    assertThat(scored.last("reverse_kl", 5)).isLessThan(0.05);
    assertThat(directory.resolve("run/report.html")).isRegularFile();
  }

  @Test
  void whatIsMissingOrWrongIsSaid() {
    Training training = fettle.load("fettle-tiny", DType.F32).tune(Lora.rank(2));

    assertThatThrownBy(() -> Dpo.on(training).run()).hasMessageContaining("data(");
    assertThatThrownBy(() -> Grpo.on(training).run()).hasMessageContaining("prompts(");
    assertThatThrownBy(() -> Grpo.on(training).prompts("Hello!").run()).hasMessageContaining("reward(");
    assertThatThrownBy(() -> Grpo.on(training).samples(1)).hasMessageContaining("samples 1");
    assertThatThrownBy(() -> Grpo.on(training).prompts("Hello!").reward((p, a) -> Double.NaN).run())
        .isInstanceOf(InvalidInputException.class).hasMessageContaining("NaN");
    assertThatThrownBy(() -> Distill.on(training).prompts(List.of(Conversation.of(Message.user("a")))).run())
        .hasMessageContaining("teacher(");
    for (Object recipe : List.of(Dpo.on(training), Grpo.on(training), Distill.on(training))) {
      assertThat(recipe.toString()).hasSizeLessThanOrEqualTo(80).doesNotContain("<");
    }
  }
}
