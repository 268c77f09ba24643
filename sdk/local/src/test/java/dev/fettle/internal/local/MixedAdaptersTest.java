package dev.fettle.internal.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.fettle.AdamW;
import dev.fettle.Batch;
import dev.fettle.ClosedException;
import dev.fettle.DType;
import dev.fettle.Datum;
import dev.fettle.Lora;
import dev.fettle.Loss;
import dev.fettle.Modules;
import dev.fettle.Sample;
import dev.fettle.SamplingParams;
import dev.fettle.internal.Backend;
import dev.fettle.internal.Futures;
import dev.fettle.internal.LiveRequest;
import dev.fettle.internal.LocalEngine;
import dev.fettle.internal.ModelBackend;
import dev.fettle.internal.SampleListener;
import dev.fettle.internal.SampledToken;
import dev.fettle.internal.SamplerBackend;
import dev.fettle.internal.TrainingBackend;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Samples of several adapters on one model are made in one batch, and are those that each adapter makes alone. */
class MixedAdaptersTest {
  /** One sample as it comes. */
  private static final class One implements SampleListener {
    private final List<SampledToken> tokens = new ArrayList<>();
    private final CompletableFuture<List<SampledToken>> whole = new CompletableFuture<>();
    private final LocalModel model;
    private int together;

    One(ModelBackend model) {
      this.model = (LocalModel) model;
    }

    @Override
    public void token(SampledToken token) {
      tokens.add(token);
      together = Math.max(together, model.live().size());
    }

    @Override
    public void ended(Sample.StopReason reason) {
      whole.complete(tokens);
    }

    @Override
    public void failed(Throwable error) {
      whole.completeExceptionally(error);
    }

    @Override
    public boolean abandoned() {
      return false;
    }
  }

  private static SamplerBackend trained(ModelBackend model, Lora lora, int... tokens) {
    TrainingBackend training = model.tune(lora);
    for (int i = 0; i < 5; i++) {
      Futures.join(training.step(Batch.of(Datum.of(tokens)), Loss.crossEntropy(), AdamW.learningRate(0.03)));
    }
    return Futures.join(training.sampler());
  }

  /** Of unlike rank and unlike modules, one of none, one whose weights are its own, as DoRA folds its gains into them. */
  private static List<SamplerBackend> samplers(ModelBackend model) {
    return List.of(trained(model, Lora.rank(4).seed(1), 5, 6, 7, 8, 9, 60), trained(model, Lora.rank(8).seed(2), 5, 30, 31, 32, 33),
        trained(model, Lora.rank(2).seed(3).targetModules(Modules.attention()), 40, 41, 42, 43, 44),
        trained(model, Lora.rank(3).seed(4).targetModules(Modules.mlp()), 50, 51, 52, 53, 54), model.sampler(),
        trained(model, Lora.rank(2).seed(5).dora(), 5, 70, 71, 72, 73));
  }

  private static One begun(ModelBackend model, SamplerBackend sampler, int[] prompt, int most) {
    One one = new One(model);
    sampler.begin(new LiveRequest(prompt, SamplingParams.greedy().maxTokens(most), 0, false, List.of(one)));
    return one;
  }

  @ParameterizedTest
  @EnumSource
  void eachIsAsItWouldBeAlone(DType type) {
    try (Backend local = LocalEngine.find("a test").open()) {
      ModelBackend model = local.load("fettle-tiny", Optional.of(type));
      List<SamplerBackend> samplers = samplers(model);
      int[][] prompts = {{5, 6, 7}, {5, 6, 7, 8, 9, 10, 11}, {40}};
      List<One> begun = new ArrayList<>();
      // They have unlike lengths, so that they leave one after the other, and an adapter of several comes twice.
      for (int i = 0; i < 3 * samplers.size(); i++) {
        begun.add(begun(model, samplers.get(i % samplers.size()), prompts[i / samplers.size()], 6 + 5 * i));
      }

      assertThat(begun.stream().mapToInt(one -> Futures.join(one.whole).isEmpty() ? 0 : one.together).max().orElse(0))
          .as("in one batch, of the samplers that can mix").isGreaterThan(9);
      for (int i = 0; i < begun.size(); i++) {
        List<SampledToken> together = Futures.join(begun.get(i).whole);
        Sample alone = Futures.join(samplers.get(i % samplers.size()).sample(List.of(prompts[i / samplers.size()]),
            SamplingParams.greedy().maxTokens(6 + 5 * i))).get(0).get(0);
        // In bf16 the likeliest of two nearly equal tokens depends on the batch.
        int equal = 0;
        while (equal < together.size() && together.get(equal).id() == alone.tokens()[equal]) {
          assertThat(together.get(equal).logprob()).as("sample %d, token %d", i, equal)
              .isCloseTo(alone.logprobs()[equal], within(type == DType.F32 ? 1e-4f : 0.15f));
          equal++;
        }
        assertThat(equal).as("sample %d", i).isGreaterThanOrEqualTo(type == DType.F32 ? alone.tokens().length : 1);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = "F32")
  void oneThatIsClosedEndsItsSamplesAlone(DType type) {
    try (Backend local = LocalEngine.find("a test").open()) {
      ModelBackend model = local.load("fettle-tiny", Optional.of(type));
      List<SamplerBackend> samplers = samplers(model);
      One stays = begun(model, samplers.get(0), new int[] {5, 6}, 60);
      One goes = begun(model, samplers.get(1), new int[] {5, 6}, 500);
      One other = begun(model, samplers.get(2), new int[] {5, 6}, 60);

      samplers.get(1).close();

      assertThat(Futures.join(stays.whole)).extracting(SampledToken::id).isEqualTo(ids(samplers.get(0)));
      assertThat(Futures.join(other.whole)).extracting(SampledToken::id).isEqualTo(ids(samplers.get(2)));
      assertThat(goes.whole).isCompletedExceptionally();
      assertThat(goes.whole.handle((tokens, e) -> e).join()).isInstanceOf(ClosedException.class);
    }
  }

  private static List<Integer> ids(SamplerBackend sampler) {
    List<Integer> out = new ArrayList<>();
    for (int id : Futures.join(sampler.sample(List.of(new int[] {5, 6}), SamplingParams.greedy().maxTokens(60))).get(0).get(0).tokens()) {
      out.add(id);
    }
    return out;
  }
}
