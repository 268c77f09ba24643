package dev.fettle;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fettle.internal.Futures;
import dev.fettle.internal.ModelBackend;
import dev.fettle.internal.ProgressMeter;
import dev.fettle.internal.SamplerBackend;
import dev.fettle.internal.local.LocalBackend;
import dev.fettle.support.Golden;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

/** What takes long says how far it is. */
class LongWorkTest {
  private static final List<int[]> PROMPTS = List.of(new int[] {1, 2}, new int[] {3, 4, 5}, new int[] {6});

  private final ProgressMeter meter = new ProgressMeter();

  @Test
  void loadingCountsTheBytesOfTheWeights() {
    try (LocalBackend backend = new LocalBackend()) {
      ModelBackend model = backend.load("fettle-tiny", Optional.of(DType.F32), meter);

      assertThat(meter.isDone()).isTrue();
      assertThat(meter.done()).isEqualTo(2 * model.parameters());
      assertThat(meter.count()).isEqualTo("2/2 MB");
    }
  }

  @Test
  void samplingCountsSamplesAndTokens() {
    try (LocalBackend backend = new LocalBackend()) {
      SamplerBackend sampler = backend.load("fettle-tiny", Optional.of(DType.F32)).sampler();
      SamplingParams params = SamplingParams.standard().maxTokens(40).samples(30).seed(1);

      long tokens = Futures.join(sampler.sample(PROMPTS, params, meter)).stream().flatMap(List::stream)
          .mapToLong(s -> s.tokens().length).sum();

      assertThat(meter.count()).isEqualTo("90/90");
      assertThat(meter.tokens()).isEqualTo(tokens).isLessThan(90 * 40);
      assertThat(meter.time()).startsWith("in ");
    }
  }

  @Test
  void aPromptThatFillsTheContextIsDoneAtOnce() {
    try (LocalBackend backend = new LocalBackend()) {
      ModelBackend model = backend.load("fettle-tiny", Optional.of(DType.F32));

      Futures.join(model.sampler().sample(List.of(new int[model.contextLength()]), SamplingParams.greedy(), meter));

      assertThat(meter.count()).isEqualTo("1/1");
      assertThat(meter.tokens()).isZero();
    }
  }

  @Test
  void samplingOnAServiceCountsTheSamplesThatHaveCome() {
    try (Fettle local = Fettle.local();
        FettleServer server = FettleServer.serve(local, local.load("fettle-tiny", DType.F32)).start();
        Fettle remote = Fettle.remote(Remote.at(server.uri()).key(() -> "tml-work"))) {
      SamplerBackend sampler = remote.load("fettle-tiny").backend().sampler();

      Futures.join(sampler.sample(PROMPTS, SamplingParams.greedy().maxTokens(3).samples(2).ignoringEos(), meter));

      assertThat(meter.count()).isEqualTo("6/6");
      assertThat(meter.tokens()).isEqualTo(18);
    }
  }

  @Test
  void embeddingCountsTexts() {
    try (LocalBackend backend = new LocalBackend()) {
      ModelBackend model = backend.load(Golden.path("encoders/mean").toString(), Optional.of(DType.F32));

      model.embed(List.of("one", "two words", "three of them"), Optional.empty(), OptionalInt.empty(), meter);

      assertThat(meter.count()).isEqualTo("3/3");
      assertThat(meter.tokens()).isGreaterThan(6);
    }
  }
}
