package dev.fettle.internal.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;
import static org.assertj.core.api.Assertions.within;

import dev.fettle.ClosedException;
import dev.fettle.DType;
import dev.fettle.Sample;
import dev.fettle.SamplingParams;
import dev.fettle.internal.Futures;
import dev.fettle.internal.LiveRequest;
import dev.fettle.internal.ModelBackend;
import dev.fettle.internal.SampleListener;
import dev.fettle.internal.SampledToken;
import dev.fettle.internal.SamplerBackend;
import dev.fettle.internal.model.LayerConfig;
import dev.fettle.support.Golden;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Samples that join others and leave them: each is what it would have been alone. */
class LiveBatchTest {
  private final LocalBackend backend = new LocalBackend();
  private ModelBackend model;
  private SamplerBackend sampler;

  /** What is told of one sample. */
  private static class Told implements SampleListener {
    final List<SampledToken> tokens = new CopyOnWriteArrayList<>();
    final CompletableFuture<Sample.StopReason> end = new CompletableFuture<>();
    volatile boolean abandoned;
    volatile int cached = -1;
    private Runnable atTwo = () -> { };

    @Override
    public void began(int tokens) {
      cached = tokens;
    }

    @Override
    public void token(SampledToken token) {
      tokens.add(token);
      if (tokens.size() == 2) {
        atTwo.run();
      }
    }

    @Override
    public void ended(Sample.StopReason reason) {
      end.complete(reason);
    }

    @Override
    public void failed(Throwable error) {
      end.completeExceptionally(error);
    }

    @Override
    public boolean abandoned() {
      return abandoned;
    }

    int[] ids() {
      return tokens.stream().mapToInt(SampledToken::id).toArray();
    }
  }

  @BeforeEach
  void load() {
    model = backend.load("fettle-tiny", Optional.of(DType.F32));
    sampler = model.sampler();
  }

  @AfterEach
  void close() {
    backend.close();
  }

  private Told begin(String prompt, SamplingParams params) {
    Told told = new Told();
    sampler.begin(new LiveRequest(model.tokenizer().encode(prompt), params, 0, false, List.of(told)));
    return told;
  }

  private Sample alone(String prompt, SamplingParams params) {
    return Futures.join(sampler.sample(List.of(model.tokenizer().encode(prompt)), params)).get(0).get(0);
  }

  @Test
  void samplesApartAreTheSameBitByBitWhateverElseIsSampled() {
    int[] prompt = model.tokenizer().encode("Where is my order?");
    SamplingParams params = SamplingParams.standard().maxTokens(30).seed(3).samples(3).ignoringEos();
    Runnable[] begin = new Runnable[2];
    List<List<Told>> requests = List.of(List.of(new Told(), new Told(), new Told()), List.of(new Told(), new Told(), new Told()));
    for (int i = 0; i < 2; i++) {
      List<Told> told = requests.get(i);
      begin[i] = () -> sampler.begin(new LiveRequest(prompt, params, 0, false, told, true));
    }
    begin[0].run();
    requests.get(0).forEach(t -> Futures.join(t.end));
    Told beside = begin("I want to", SamplingParams.standard().maxTokens(60).seed(8).ignoringEos());
    Told next = new Told();
    beside.atTwo = () -> {
      begin[1].run();
      sampler.begin(new LiveRequest(prompt, params.samples(1), 0, false, List.of(next), true));
    };
    requests.get(1).forEach(t -> Futures.join(t.end));
    assertThat(beside.tokens).as("others go on meanwhile").hasSizeGreaterThan(20);

    for (int i = 0; i < 3; i++) {
      assertThat(requests.get(1).get(i).tokens).extracting(SampledToken::id, SampledToken::logprob)
          .containsExactlyElementsOf(requests.get(0).get(i).tokens.stream().map(t -> tuple(t.id(), t.logprob())).toList());
    }
    assertThat(requests.get(0).get(0).tokens).isNotEqualTo(requests.get(0).get(1).tokens);
    Futures.join(next.end);
    Told left = new Told();
    Told waits = new Told();
    left.atTwo = () -> CompletableFuture.runAsync(sampler::close);
    sampler.begin(new LiveRequest(prompt, params.samples(1), 0, false, List.of(left), true));
    sampler.begin(new LiveRequest(prompt, params.samples(1), 0, false, List.of(waits), true));
    assertThatThrownBy(() -> Futures.join(left.end)).isInstanceOf(ClosedException.class);
    assertThatThrownBy(() -> Futures.join(waits.end)).isInstanceOf(ClosedException.class);
  }

  @Test
  void whoJoinsLaterAndWhoLeavesEarlierChangesNothingForTheOthers() {
    List<String> prompts = List.of("Where is my order?", "I want to", "Please cancel order 4711, which I", "The", "Hello, the weather is");
    List<SamplingParams> params = List.of(SamplingParams.greedy().maxTokens(40).ignoringEos(),
        SamplingParams.standard().maxTokens(7).seed(3).ignoringEos(), SamplingParams.standard().maxTokens(25).temperature(0.7).topK(20).seed(4),
        SamplingParams.standard().maxTokens(300).topP(0.8).seed(5).ignoringEos(), SamplingParams.greedy().maxTokens(30));
    List<Told> told = new CopyOnWriteArrayList<>();
    CompletableFuture<Void> all = new CompletableFuture<>();
    Told first = new Told();
    // The second joins after two tokens of the first, the third after two of the second, and so on.
    Told before = first;
    told.add(first);
    for (int i = 1; i < prompts.size(); i++) {
      Told next = new Told();
      told.add(next);
      int index = i;
      before.atTwo = () -> {
        sampler.begin(new LiveRequest(model.tokenizer().encode(prompts.get(index)), params.get(index), 0, false, List.of(next)));
        if (index == prompts.size() - 1) {
          all.complete(null);
        }
      };
      before = next;
    }
    sampler.begin(new LiveRequest(model.tokenizer().encode(prompts.get(0)), params.get(0), 0, false, List.of(first)));
    Futures.join(all);

    for (int i = 0; i < prompts.size(); i++) {
      Sample expected = alone(prompts.get(i), params.get(i));
      assertThat(Futures.join(told.get(i).end)).as("reason %d", i).isEqualTo(expected.stopReason());
      assertThat(told.get(i).ids()).as("sample %d", i).containsExactly(expected.tokens());
      StringBuilder text = new StringBuilder();
      told.get(i).tokens.forEach(t -> text.append(t.text()));
      assertThat(text.toString()).isEqualTo(expected.text());
    }
  }

  @Test
  void severalSamplesOfAPromptAreThoseOfTheirSeedHoweverManyFit() {
    SamplingParams params = SamplingParams.standard().maxTokens(4).seed(9).samples(70).ignoringEos();
    List<Told> told = new ArrayList<>();
    for (int i = 0; i < 70; i++) {
      told.add(new Told());
    }
    int[] prompt = model.tokenizer().encode("I want");
    sampler.begin(new LiveRequest(prompt, params, 0, false, told));
    List<Sample> expected = Futures.join(sampler.sample(List.of(prompt), params)).get(0);

    for (int i = 0; i < 70; i++) {
      Futures.join(told.get(i).end);
      assertThat(told.get(i).ids()).as("sample %d", i).containsExactly(expected.get(i).tokens());
    }
  }

  @Test
  void aPromptThatBeginsAsOneBeforeIsReadFromWhereItDiffers() {
    String chat = "Where is my order? It was to come on Monday, and now it is Friday. I want to know where it is now, please.";
    SamplingParams params = SamplingParams.standard().maxTokens(12).seed(2).samples(2).ignoringEos();
    Told before = begin(chat, SamplingParams.greedy().maxTokens(20).ignoringEos());
    Futures.join(before.end);
    int[] prompt = model.tokenizer().encode(chat + " Tell me".repeat(40));
    Told first = new Told();
    Told second = new Told();
    sampler.begin(new LiveRequest(prompt, params, 0, false, List.of(first, second)));
    Futures.join(second.end);
    Futures.join(first.end);
    List<Sample> expected = Futures.join(sampler.sample(List.of(prompt), params)).get(0);

    assertThat(before.cached).isZero();
    assertThat(first.cached).isGreaterThanOrEqualTo(model.tokenizer().encode(chat).length).isLessThan(prompt.length);
    assertThat(first.ids()).containsExactly(expected.get(0).tokens());
    assertThat(second.ids()).containsExactly(expected.get(1).tokens());
    for (int i = 0; i < first.tokens.size(); i++) {
      assertThat(first.tokens.get(i).logprob()).isCloseTo(expected.get(0).logprobs()[i], within(1e-4f));
    }
    Told same = new Told();
    sampler.begin(new LiveRequest(prompt, params.samples(1), 0, false, List.of(same)));
    Futures.join(same.end);
    assertThat(same.cached).isEqualTo(prompt.length - 1);
    assertThat(same.ids()).containsExactly(expected.get(0).tokens());
  }

  @ParameterizedTest
  @ValueSource(strings = {"models/qwen2-window", "families/gemma2", "families/gemma3", "families/granite4", "families/ministral3",
      "families/phi3-longrope", "families/qwen3-moe", "families/qwen3.5", "families/smollm3"})
  void anyFamilyGoesOnFromWhatWasReadOrReadsAnew(String name) {
    try (ModelBackend family = backend.load(Golden.path(name).toString(), Optional.of(DType.F32)); SamplerBackend own = family.sampler()) {
      int[] prompt = new Random(3).ints(50, 0, family.vocabSize()).toArray();
      SamplingParams params = SamplingParams.greedy().maxTokens(6).ignoringEos();
      List<Told> told = new ArrayList<>();
      for (int length : new int[] {40, 50}) {
        Told next = new Told();
        own.begin(new LiveRequest(Arrays.copyOf(prompt, length), params, 0, false, List.of(next)));
        Futures.join(next.end);
        told.add(next);
      }
      float[] expected = Futures.join(own.logprobs(List.of(IntStream.concat(Arrays.stream(prompt), Arrays.stream(told.get(1).ids())).toArray())))
          .get(0);

      boolean states = ((LocalModel) family).config().layers().stream().anyMatch(LayerConfig::hasState);
      assertThat(told.get(1).cached).isEqualTo(states ? 0 : 40);
      for (int i = 0; i < 6; i++) {
        assertThat(told.get(1).tokens.get(i).logprob()).as("token %d", i).isCloseTo(expected[49 + i], within(1e-4f));
      }
    }
  }

  @Test
  void nothingIsToldOfASampleThatNobodyWants() {
    Told left = begin("The order", SamplingParams.greedy().maxTokens(400).ignoringEos());
    Told staying = begin("The order", SamplingParams.greedy().maxTokens(60).ignoringEos());
    left.atTwo = () -> left.abandoned = true;
    Futures.join(staying.end);

    assertThat(left.tokens.size()).isBetween(2, 3);
    assertThat(left.end).isNotDone();
  }

  @Test
  void aSamplerThatIsClosedEndsItsSamples() {
    Told told = begin("The order", SamplingParams.greedy().maxTokens(400).ignoringEos());
    sampler.close();

    assertThat(told.end.handle((reason, error) -> error).join()).isInstanceOf(ClosedException.class);
    assertThat(begin("The order", SamplingParams.greedy()).end.handle((reason, error) -> error).join()).isInstanceOf(ClosedException.class);
  }

  @Test
  void aSampleThatIsReadAnewGoesOnAsItWouldHave() {
    SamplingParams params = SamplingParams.standard().maxTokens(12).seed(3).ignoringEos();
    Told told = new Told();
    LiveSequence sequence = new LiveSequence(new LiveRequest(model.tokenizer().encode("I want"), params, 0, false, List.of(told)), 0,
        model.tokenizer(), Set.of(), model.contextLength(), null, null);
    int[] expected = alone("I want", params).tokens();
    for (int i = 0; i < 5; i++) {
      sequence.next();
      sequence.take(expected[i], 0, new int[0], new float[0]);
    }
    sequence.rewind();

    assertThat(sequence.prompt()).hasSize(model.tokenizer().encode("I want").length + 5).endsWith(expected[3], expected[4]);
    for (int i = 5; i < 12; i++) {
      assertThat(sequence.done()).isFalse();
      sequence.next();
      sequence.take(expected[i], 0, new int[0], new float[0]);
    }
    assertThat(told.end).isCompletedWithValue(Sample.StopReason.LENGTH);
  }
}
