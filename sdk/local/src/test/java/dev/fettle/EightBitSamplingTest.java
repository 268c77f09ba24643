package dev.fettle;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Decoding with weights rounded to 8 bits: how far its logprobs are from those of the model. */
class EightBitSamplingTest {
  private static final Conversation CHAT = Conversation.of(Message.user("How do people say hello?"));
  private static final SamplingParams PARAMS = SamplingParams.standard().seed(5).maxTokens(60).samples(4).ignoringEos();

  @Test
  void logprobsMoveLittleMoreThanRoundingOfTheComputationMovesThem() {
    try (Fettle fettle = Fettle.local()) {
      BaseModel model = fettle.load("fettle-tiny", DType.BF16);
      int[] prompt = model.renderer().prompt(CHAT);

      double exact = difference(model, prompt, PARAMS);
      double rounded = difference(model, prompt, PARAMS.eightBit());

      assertThat(exact).isLessThan(0.02);
      assertThat(rounded).isBetween(exact / 2, 2 * exact);
    }
  }

  /** The mean difference between the logprobs that sampling gave and those of the model for the same tokens. */
  private static double difference(BaseModel model, int[] prompt, SamplingParams params) {
    List<Sample> samples = model.sampler().sample(prompt, params);
    return samples.stream().mapToDouble(sample -> {
      int[] all = Arrays.copyOf(prompt, prompt.length + sample.tokens().length);
      System.arraycopy(sample.tokens(), 0, all, prompt.length, sample.tokens().length);
      float[] logprobs = model.sampler().logprobs(all);
      return IntStream.range(0, sample.tokens().length)
          .mapToDouble(i -> Math.abs(sample.logprobs()[i] - logprobs[prompt.length - 1 + i])).average().orElseThrow();
    }).average().orElseThrow();
  }

  @Test
  void adaptersAreKeptApartAndTakePart() {
    try (Fettle fettle = Fettle.local()) {
      BaseModel model = fettle.load("fettle-tiny", DType.BF16);
      Training training = model.tune(Lora.rank(8));
      int[] tokens = model.renderer().prompt(CHAT);
      for (int i = 0; i < 60; i++) {
        training.step(Batch.of(Datum.of(tokens)), Loss.crossEntropy(), AdamW.learningRate(0.005));
      }

      int[] start = Arrays.copyOf(tokens, tokens.length / 2);
      int[] rest = Arrays.copyOfRange(tokens, start.length, tokens.length);
      SamplingParams greedy = SamplingParams.greedy().eightBit().maxTokens(rest.length).ignoringEos();

      assertThat(training.sampler().sample(start, greedy).get(0).tokens()).isEqualTo(rest);
      assertThat(model.sampler().sample(start, greedy).get(0).tokens()).isNotEqualTo(rest);
    }
  }

  @Test
  void aModelInF32IsDecodedSoToo() {
    try (Fettle fettle = Fettle.local()) {
      BaseModel model = fettle.load("fettle-tiny", DType.F32);
      int[] prompt = model.renderer().prompt(CHAT);

      assertThat(difference(model, prompt, PARAMS)).isLessThan(1e-4);
      assertThat(difference(model, prompt, PARAMS.eightBit())).isBetween(1e-4, 0.05);
    }
  }
}
