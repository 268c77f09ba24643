package dev.fettle.recipes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fettle.BaseModel;
import dev.fettle.Conversation;
import dev.fettle.DType;
import dev.fettle.Dataset;
import dev.fettle.Fettle;
import dev.fettle.Lora;
import dev.fettle.Message;
import dev.fettle.Preference;
import dev.fettle.Sampler;
import dev.fettle.SamplingParams;
import dev.fettle.Text;
import dev.fettle.Training;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiFunction;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A run of any recipe that breaks off between checkpoints, and goes on, against one that was never interrupted. */
class ResumedRecipesTest {
  private static final List<String> WORDS = List.of("red", "blue", "green", "black");
  private static final List<Preference> PAIRS = WORDS.stream().map(w -> Preference.of(w + "?", w, "no")).toList();
  private static final List<Conversation> QUESTIONS = WORDS.stream().map(w -> Conversation.of(Message.user(w + "?"))).toList();
  private static final SamplingParams BRIEF = SamplingParams.standard().maxTokens(3);

  @TempDir Path directory;
  private final Fettle fettle = Fettle.local();
  private final BaseModel model = fettle.load("fettle-tiny", DType.F32);

  @AfterEach
  void close() {
    fettle.close();
  }

  private Training training() {
    return model.tune(Lora.rank(2));
  }

  /** Three runs of a recipe: a whole one, one that is torn in its fourth step, and the rest of that one. */
  private <R extends Recipe<R>> void assertResumes(BiFunction<Training, SamplingParams, R> recipe) {
    Training once = training();
    Run whole = recipe.apply(once, BRIEF).run();
    String name = whole.recipe();
    Path place = directory.resolve(name);

    assertThatThrownBy(() -> recipe.apply(training(), BRIEF).saveEvery(3).directory(place).listen(step -> {
      if (step.value("step") == 4) {
        throw new IllegalStateException("torn");
      }
    }).run()).as(name).hasMessage("torn");
    Training resumed = training();
    int[] made = new int[1];
    Run parts = recipe.apply(resumed, BRIEF).saveEvery(3).directory(place).listen(step -> made[0]++).run();

    assertThat(made[0]).as(name + ": steps made again and after").isEqualTo(whole.steps().size() - 3);
    assertThat(parts.steps()).as(name).hasSameSizeAs(whole.steps());
    for (String metric : whole.metrics()) {
      if (!Set.of("seconds", "tokens_per_second").contains(metric)) {
        assertThat(parts.values(metric)).as(name + ", " + metric).isEqualTo(whole.values(metric));
      }
    }
    try (Sampler a = once.sampler(); Sampler b = resumed.sampler()) {
      int[] tokens = once.tokenizer().encode("red is a colour");
      assertThat(b.logprobs(tokens)).as(name).isEqualTo(a.logprobs(tokens));
    }
  }

  @Test
  void recipesThatLearnFromPreferencesGoOnWhereTheyBrokeOff() {
    assertResumes((training, brief) -> Kto.on(training).data(Dataset.of(PAIRS)).batchSize(2).learningRate(1e-3));
    assertResumes((training, brief) -> Orpo.on(training).data(PAIRS).epochs(2).batchSize(2).learningRate(1e-3));
    assertResumes((training, brief) -> RewardModel.on(training).data(PAIRS).epochs(2).batchSize(2).learningRate(1e-3));
  }

  @Test
  void recipesThatSampleGoOnWhereTheyBrokeOff() {
    Training taught = model.tune(Lora.rank(2));
    Sft.on(taught).data(Dataset.of(new Text("red is a colour"))).epochs(2).learningRate(1e-2).run();
    Sampler teacher = taught.sampler();

    assertResumes((training, brief) -> Grpo.on(training).prompts(QUESTIONS).promptsPerStep(2).samples(2).steps(4).kl(0.1)
        .sampling(brief).reward((prompt, answer) -> answer.content().length()).learningRate(1e-3));
    assertResumes((training, brief) -> Distill.on(training).teacher(teacher).prompts(QUESTIONS).steps(4).batchSize(2)
        .sampling(brief));
    // The one that would be asked again says something else.
    Iterator<Sampler> teachers = List.of(teacher, teacher, model.sampler()).iterator();
    assertResumes((training, brief) -> Distill.on(training).teacher(teachers.next()).prompts(QUESTIONS).offPolicy().epochs(2)
        .batchSize(2).sampling(brief));
    assertThat(directory.resolve("sft/answers.jsonl")).content().hasLineCount(1 + QUESTIONS.size());
    assertThatThrownBy(() -> Distill.on(training()).teacher(teacher).prompts(QUESTIONS).offPolicy().batchSize(2)
        .sampling(BRIEF.temperature(0.5)).directory(directory.resolve("sft")).run()).hasMessageContaining("answers.jsonl: holds answers");
  }

  @Test
  void otherSettingsDoNotGoOnWithAnInterruptedRun() {
    Path place = directory.resolve("run");
    assertThatThrownBy(() -> SimPo.on(training()).data(PAIRS).gamma(0.5).directory(place).listen(step -> {
      throw new IllegalStateException("torn");
    }).run()).hasMessage("torn");

    assertThatThrownBy(() -> SimPo.on(training()).data(PAIRS).gamma(0.6).directory(place).run())
        .hasMessageEndingWith(": gamma was 0.5 and is 0.6. Name another directory, or set it as it was");
    assertThat(Map.of("steps", SimPo.on(training()).data(PAIRS).gamma(0.6).directory(place).overwrite().run().steps().size()))
        .containsEntry("steps", 1);
  }
}
