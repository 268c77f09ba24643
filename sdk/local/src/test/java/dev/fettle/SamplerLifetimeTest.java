package dev.fettle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fettle.internal.torch.Torch;
import dev.fettle.support.Golden;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Who owns what while tokens stream, and settings at their limits. */
class SamplerLifetimeTest {
  private static final SamplingParams LONG = SamplingParams.standard().maxTokens(100).ignoringEos();
  private static final int[] PROMPT = {1, 2, 3};
  private Fettle fettle;
  private BaseModel base;

  @BeforeEach
  void open() {
    fettle = Fettle.local();
    base = fettle.load(Golden.path("models/llama"), DType.F32);
  }

  @AfterEach
  void close() {
    fettle.close();
  }

  @Test
  void aStreamKeepsItsSamplerOpenEvenIfNothingElseDoes() throws InterruptedException {
    Iterator<Token> tokens = base.sampler().stream(PROMPT, LONG.maxTokens(10)).iterator();
    for (int i = 0; i < 10; i++) {
      System.gc();
      Thread.sleep(20);
      assertThat(tokens.next().id()).isNotNegative();
    }
    assertThat(tokens.hasNext()).isFalse();
  }

  @Test
  void aLoopThatIsLeftEarlyLeavesNoHandlesBehind() throws InterruptedException {
    Sampler sampler = base.sampler();
    sampler.sample(PROMPT, LONG);
    long before = Torch.liveHandles();

    for (int i = 0; i < 5; i++) {
      for (Token token : sampler.stream(PROMPT, LONG)) {
        assertThat(token.id()).isNotNegative();
        break;
      }
    }

    for (int i = 0; i < 250 && Torch.liveHandles() > before; i++) {
      System.gc();
      Thread.sleep(20);
    }
    assertThat(Torch.liveHandles()).isEqualTo(before);
  }

  @Test
  void closingASamplerEndsItsStreamsAndFreesThem() {
    base.sampler().sample(PROMPT, LONG);
    long before = Torch.liveHandles();
    Sampler sampler = base.sampler();
    Iterator<Token> tokens = sampler.stream(PROMPT, LONG).iterator();
    tokens.next();

    sampler.close();

    assertThatThrownBy(tokens::next).isInstanceOf(ClosedException.class);
    assertThat(Torch.liveHandles()).isEqualTo(before);
  }

  @Test
  void neighbouringSeedsGiveUnrelatedRandomNumbers() {
    Sampler sampler = base.sampler();
    SamplingParams hot = LONG.temperature(1e9);
    int[] first = sampler.sample(PROMPT, hot.seed(1)).get(0).tokens();
    int[] second = sampler.sample(PROMPT, hot.seed(2)).get(0).tokens();

    int same = 0;
    for (int i = 0; i + 1 < first.length; i++) {
      same += first[i + 1] == second[i] ? 1 : 0;
    }
    assertThat(same).isLessThan(20);
  }

  @ParameterizedTest
  @CsvSource({"1e-5", "1e-30", "1e-40", "1e-300"})
  void aTemperatureNearZeroIsGreedy(double temperature) {
    Sampler sampler = base.sampler();
    int[] greedy = sampler.sample(PROMPT, LONG.temperature(0)).get(0).tokens();

    assertThat(sampler.sample(PROMPT, LONG.temperature(temperature)).get(0).tokens()).containsExactly(greedy);
    assertThat(sampler.sample(PROMPT, LONG.temperature(temperature).topK(5)).get(0).tokens()).containsExactly(greedy);
  }

  @Test
  void limitsBeyondTheModelAreNoLimits() {
    Sampler sampler = base.sampler();
    int[] plain = sampler.sample(PROMPT, LONG.topP(0.999999)).get(0).tokens();

    assertThat(sampler.sample(PROMPT, LONG.topK(1_000_000).topP(0.999999)).get(0).tokens()).containsExactly(plain);
    assertThat(sampler.sample(new int[] {5}, LONG.maxTokens(1)).get(0).tokens()).hasSize(1);
    int[] full = new int[base.contextLength()];
    Arrays.fill(full, 7);
    Sample none = sampler.sample(full, LONG).get(0);
    assertThat(none.tokens()).isEmpty();
    assertThat(none.stopReason()).isEqualTo(Sample.StopReason.LENGTH);
    assertThat(sampler.sample(Arrays.copyOf(full, full.length - 1), LONG.maxTokens(Integer.MAX_VALUE)).get(0).tokens())
        .hasSize(1);
  }

  @Test
  void severalSamplesOfSeveralPromptsStandInTheirOrder() {
    Sampler sampler = base.sampler();
    SamplingParams params = LONG.samples(3).maxTokens(20).seed(4);
    List<int[]> prompts = List.of(new int[] {1, 2, 3}, new int[] {4}, new int[] {5, 6});

    List<List<Sample>> all = sampler.sample(prompts, params);

    assertThat(all).hasSize(3).allMatch(s -> s.size() == 3);
    List<Sample> alone = sampler.sample(prompts.get(0), params);
    for (int i = 0; i < 3; i++) {
      assertThat(all.get(0).get(i).tokens()).containsExactly(alone.get(i).tokens());
    }
  }

  @Test
  void theLeastTopPIsGreedy() {
    Sampler sampler = base.sampler();

    assertThat(sampler.sample(PROMPT, LONG.topP(Double.MIN_VALUE)).get(0).tokens())
        .containsExactly(sampler.sample(PROMPT, LONG.temperature(0)).get(0).tokens());
  }

  @Test
  void weightsThatAreNotFiniteGiveNoTokens() {
    base.sampler().sample(PROMPT, LONG);
    long before = Torch.liveHandles();
    try (Training training = base.tune(Lora.rank(2).alpha(1e300)); Sampler sampler = training.sampler()) {
      assertThatThrownBy(() -> sampler.sample(PROMPT, LONG)).isInstanceOf(NumericException.class).hasMessageContaining("NaN");
      assertThatThrownBy(() -> sampler.stream(PROMPT, LONG).iterator().next()).isInstanceOf(NumericException.class);
    }
    assertThat(Torch.liveHandles()).isLessThanOrEqualTo(before + 2);
  }

  @Test
  void moreSamplesThanFitIntoMemoryAreRefused() {
    assertThatThrownBy(() -> base.sampler().sample(PROMPT, LONG.samples(Integer.MAX_VALUE)))
        .isInstanceOf(NotEnoughMemoryException.class).hasMessageContaining("GiB");
  }
}
