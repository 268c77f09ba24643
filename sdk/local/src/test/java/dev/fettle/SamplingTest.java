package dev.fettle;

import static dev.fettle.support.Golden.floats;
import static dev.fettle.support.Golden.ints;
import static dev.fettle.support.Golden.maxDifference;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fettle.internal.json.JsonNode;
import dev.fettle.support.Golden;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SamplingTest {
  private static Fettle fettle;

  @BeforeAll
  static void open() {
    fettle = Fettle.local();
  }

  @AfterAll
  static void close() {
    fettle.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"hf", "hf-sharded", "hf-bf16"})
  void greedyTokensOfStoriesEqualTheReference(String form) {
    Path directory = Golden.shared("models/stories260K/" + form);
    Sampler sampler = fettle.load(directory, DType.F32).sampler();
    JsonNode golden = Golden.json(Golden.shared("models/stories260K/golden.json"));
    int compared = 0;
    for (JsonNode greedy : golden.get("greedy")) {
      int[] expected = ints(greedy.get("new_ids"));

      Sample sample = sampler.sample(ints(greedy.get("prompt_ids")), SamplingParams.greedy().maxTokens(expected.length)).get(0);

      if (!form.equals("hf-bf16")) {
        assertThat(sample.tokens()).containsExactly(expected);
        compared++;
      }
      assertThat(sample.tokens()).startsWith(Arrays.copyOf(expected, 8));
    }
    assertThat(compared).isEqualTo(form.equals("hf-bf16") ? 0 : golden.get("greedy").size());
  }

  @Test
  void twoHundredGreedyTokensOfPromptsOfDifferentLengthsEqualGenerate() {
    Sampler sampler = fettle.load(Golden.shared("models/stories260K/hf"), DType.F32).sampler();
    JsonNode golden = Golden.json("stories_generate.json").get("greedy");
    List<int[]> prompts = new ArrayList<>();
    golden.forEach(g -> prompts.add(ints(g.get("prompt"))));

    List<List<Sample>> samples = sampler.sample(prompts, SamplingParams.greedy().maxTokens(200).ignoringEos());

    for (int i = 0; i < prompts.size(); i++) {
      assertThat(samples.get(i).get(0).tokens()).hasSize(200).containsExactly(ints(golden.get(i).get("ids")));
    }
  }

  @Test
  void logprobsOfATextEqualTransformers() {
    Sampler sampler = fettle.load(Golden.shared("models/stories260K/hf"), DType.F32).sampler();
    JsonNode golden = Golden.json("stories_generate.json");

    float[] logprobs = sampler.logprobs(ints(golden.get("tokens")));

    assertThat(maxDifference(logprobs, floats(golden.get("logprobs")))).isLessThan(1e-4);
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama", "llama-rope-llama3", "mistral", "qwen2-window", "qwen3", "qwen3-untied-bias",
    "llama-rope-yarn", "mistral-rope-yarn", "qwen2-rope-yarn", "qwen3-rope-yarn", "llama-rope-dynamic", "qwen2-rope-dynamic",
    "qwen3-rope-dynamic", "llama-rope-longrope", "qwen2-rope-longrope", "qwen3-rope-longrope"})
  void greedyTokensOfEachArchitectureEqualGenerate(String name) {
    Sampler sampler = fettle.load(Golden.path("models/" + name), DType.F32).sampler();
    JsonNode golden = Golden.json("models/" + name + "/golden.json");

    int[] expected = ints(golden.get("greedy"));

    SamplingParams params = SamplingParams.greedy().maxTokens(expected.length).ignoringEos();
    Sample sample = sampler.sample(ints(golden.get("prompt")), params).get(0);

    assertThat(sample.tokens()).containsExactly(expected);
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama", "mistral", "qwen3"})
  void theLogprobsOfSampledTokensAreThoseOfForward(String name) {
    BaseModel base = fettle.load(Golden.path("models/" + name), DType.F32);
    int[] prompt = {3, 1, 4, 1, 5};

    Sample sample = base.sampler().sample(prompt, SamplingParams.standard().maxTokens(40).seed(5)).get(0);

    int[] whole = Arrays.copyOf(prompt, prompt.length + sample.tokens().length);
    System.arraycopy(sample.tokens(), 0, whole, prompt.length, sample.tokens().length);
    float[] all = base.tune(Lora.rank(2)).forward(Batch.of(Datum.of(whole))).logprobs().get(0);
    float[] ofSample = Arrays.copyOfRange(all, prompt.length - 1, all.length);
    assertThat(maxDifference(sample.logprobs(), ofSample)).isLessThan(1e-4);
  }

  @Test
  void theSameSeedGivesTheSameSamplesAndAnotherSeedOthers() {
    Sampler sampler = fettle.load(Golden.path("models/llama"), DType.F32).sampler();
    SamplingParams params = SamplingParams.standard().maxTokens(20).samples(3).seed(1);

    List<Sample> first = sampler.sample(new int[] {1, 2, 3}, params);
    List<Sample> again = sampler.sample(new int[] {1, 2, 3}, params);
    List<Sample> other = sampler.sample(new int[] {1, 2, 3}, params.seed(2));

    assertThat(first).hasSize(3);
    for (int i = 0; i < 3; i++) {
      assertThat(first.get(i).tokens()).containsExactly(again.get(i).tokens());
    }
    assertThat(first.get(0).tokens()).isNotEqualTo(first.get(1).tokens());
    assertThat(first.get(0).tokens()).isNotEqualTo(other.get(0).tokens());
  }

  @Test
  void sampledFrequenciesFollowTheModelsProbabilities() {
    Sampler sampler = fettle.load(Golden.path("models/llama"), DType.F32).sampler();
    int n = 2000;
    List<Sample> samples = sampler.sample(new int[] {1, 2, 3}, SamplingParams.standard().maxTokens(1).samples(n));

    double expected = samples.stream().mapToDouble(s -> Math.exp(s.logprobs()[0])).distinct().max().orElseThrow();
    double likeliest = samples.stream().filter(s -> Math.exp(s.logprobs()[0]) == expected).count() / (double) n;

    assertThat(likeliest).isBetween(expected - 0.04, expected + 0.04);
  }

  @Test
  void topKAndTopPLeaveOnlyTheLikeliestTokens() {
    Sampler sampler = fettle.load(Golden.path("models/llama"), DType.F32).sampler();
    int[] prompt = {1, 2, 3};
    int greedy = sampler.sample(prompt, SamplingParams.greedy().maxTokens(1)).get(0).tokens()[0];
    SamplingParams many = SamplingParams.standard().maxTokens(1).samples(300);

    assertThat(sampler.sample(prompt, many.topK(1))).allMatch(s -> s.tokens()[0] == greedy);
    assertThat(sampler.sample(prompt, many.topP(1e-6))).allMatch(s -> s.tokens()[0] == greedy);
    assertThat(sampler.sample(prompt, many.topK(3)).stream().map(s -> s.tokens()[0]).distinct().count()).isEqualTo(3);
    assertThat(sampler.sample(prompt, many).stream().map(s -> s.tokens()[0]).distinct().count()).isGreaterThan(3);
  }

  @ParameterizedTest
  @ValueSource(strings = {"mistral", "llama-rope-dynamic", "qwen2-rope-longrope"})
  void aSampleInABatchIsTheSampleAlone(String name) {
    Sampler sampler = fettle.load(Golden.path("models/" + name), DType.F32).sampler();
    List<int[]> prompts = List.of(new int[] {5, 6, 7, 8, 9, 10, 11, 12, 13}, new int[] {3}, new int[] {8, 2, 40, 11});

    List<List<Sample>> together = sampler.sample(prompts, SamplingParams.greedy().maxTokens(30));

    for (int i = 0; i < prompts.size(); i++) {
      assertThat(together.get(i).get(0).tokens())
          .containsExactly(sampler.sample(prompts.get(i), SamplingParams.greedy().maxTokens(30)).get(0).tokens());
    }
  }

  @Test
  void generationGrowsBeyondTheFirstCache() {
    Sampler sampler = fettle.load(Golden.shared("models/stories260K/hf"), DType.F32).sampler();

    Sample sample = sampler.sample("Once", SamplingParams.standard().maxTokens(400).seed(3).temperature(0.8)).get(0);
    float[] again = sampler.logprobs(concat(new int[] {1, 403}, sample.tokens()));

    assertThat(sample.tokens().length).isGreaterThan(100);
    assertThat(maxDifference(sample.logprobs(), Arrays.copyOfRange(again, 1, again.length))).isLessThan(1e-3);
  }

  @Test
  void aStopTextEndsTheSampleAndIsCutOff() {
    Sampler sampler = fettle.load(Golden.shared("models/stories260K/hf"), DType.F32).sampler();

    Sample sample = sampler.sample("Once upon a time", SamplingParams.greedy().stop("Lily")).get(0);

    assertThat(sample.text()).isEqualTo(", there was a little girl named ");
    assertThat(sample.stopReason()).isEqualTo(Sample.StopReason.STOP);
  }

  @Test
  void streamingGivesTheTokensAndTextOfASample() {
    Sampler sampler = fettle.load(Golden.shared("models/stories260K/hf"), DType.F32).sampler();
    SamplingParams params = SamplingParams.greedy().maxTokens(30);
    Sample whole = sampler.sample("Once upon a time", params).get(0);

    StringBuilder text = new StringBuilder();
    List<Integer> ids = new ArrayList<>();
    for (Token token : sampler.stream("Once upon a time", params)) {
      text.append(token.text());
      ids.add(token.id());
    }

    assertThat(text.toString()).isEqualTo(whole.text()).isNotEmpty();
    assertThat(ids.stream().mapToInt(Integer::intValue).toArray()).containsExactly(whole.tokens());
  }

  @Test
  void streamingHoldsBackWhatMayBeginAStopText() {
    Sampler sampler = fettle.load(Golden.shared("models/stories260K/hf"), DType.F32).sampler();
    StringBuilder text = new StringBuilder();

    for (Token token : sampler.stream("Once upon a time", SamplingParams.greedy().stop("girl named Lily", "zebra"))) {
      text.append(token.text());
    }

    assertThat(text.toString()).isEqualTo(", there was a little ");
  }

  @Test
  void theContextLimitEndsASample() {
    Sampler sampler = fettle.load(Golden.shared("models/stories260K/hf"), DType.F32).sampler();
    int[] prompt = new int[510];
    Arrays.fill(prompt, 403);

    Sample sample = sampler.sample(prompt, SamplingParams.greedy().maxTokens(50).temperature(1)).get(0);

    assertThat(sample.tokens().length).isLessThanOrEqualTo(2);
  }

  @Test
  void promptsThatCannotBeAreRefused() {
    Sampler sampler = fettle.load(Golden.path("models/llama"), DType.F32).sampler();
    SamplingParams params = SamplingParams.greedy();

    assertThatThrownBy(() -> sampler.sample(new int[0], params)).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("prompts[0] is empty");
    assertThatThrownBy(() -> sampler.sample(new int[] {1, 70_000}, params)).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("prompts[0][1] = 70000");
    assertThatThrownBy(() -> sampler.sample(List.of(), params)).isInstanceOf(InvalidInputException.class);
    assertThatThrownBy(() -> sampler.sample("text", params)).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("no tokenizer.json");
  }

  private static int[] concat(int[] a, int[] b) {
    int[] out = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, out, a.length, b.length);
    return out;
  }

  @Test
  void aChatEndsBeforeTheTextThatEndsIt() {
    try (Fettle fettle = Fettle.local()) {
      Sampler tiny = fettle.load("fettle-tiny").sampler();
      Conversation chat = Conversation.of(Message.user("Where is my parcel 4711?"));
      String whole = tiny.chat(chat, SamplingParams.greedy()).content();
      String stop = whole.substring(9, 14);

      assertThat(tiny.chat(chat, SamplingParams.greedy().stop("zebra", stop)).content()).isEqualTo(whole.substring(0, whole.indexOf(stop)));
    }
  }
}
