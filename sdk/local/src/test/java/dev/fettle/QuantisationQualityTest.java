package dev.fettle;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fettle.support.Golden;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What forms of weights cost a real model, stories260K, on stories that it tells itself: logprobs and loss beside those in f32. */
class QuantisationQualityTest {
  private static final Map<String, double[]> FIGURES = new LinkedHashMap<>();

  /** For each form the mean distance of logprobs, in nats, and how much the mean loss rises. */
  @BeforeAll
  static void measure() {
    Path directory = Golden.shared("models/stories260K/hf");
    try (Fettle fettle = Fettle.local()) {
      BaseModel exact = fettle.load(directory, DType.F32);
      int[] start = exact.tokenizer().encode("Once upon a time");
      List<int[]> stories = new ArrayList<>();
      for (Sample sample : exact.sampler().sample(start, SamplingParams.standard().seed(3).samples(24).maxTokens(180).ignoringEos())) {
        int[] all = Arrays.copyOf(start, start.length + sample.tokens().length);
        System.arraycopy(sample.tokens(), 0, all, start.length, sample.tokens().length);
        stories.add(all);
      }
      List<float[]> reference = logprobs(exact, stories);
      Map<String, Optional<Quantisation>> forms = new LinkedHashMap<>();
      forms.put("bf16", Optional.empty());
      for (Quantisation q : List.of(Quantisation.int8(), Quantisation.nf4(), Quantisation.int4(),
          Quantisation.int8().including(Modules.embeddings()), Quantisation.nf4().including(Modules.embeddings()))) {
        forms.put(q.toString(), Optional.of(q));
      }
      forms.forEach((name, form) -> {
        BaseModel model = form.map(q -> fettle.load(directory, DType.F32, q)).orElseGet(() -> fettle.load(directory, DType.BF16));
        FIGURES.put(name, difference(logprobs(model, stories), reference));
        model.close();
      });
    }
    FIGURES.forEach((name, f) -> System.out.printf("%s: logprobs move by %.4f nats, the loss rises by %.4f%n", name, f[0], f[1]));
  }

  private static List<float[]> logprobs(BaseModel model, List<int[]> texts) {
    Sampler sampler = model.sampler();
    return texts.stream().map(sampler::logprobs).toList();
  }

  private static double[] difference(List<float[]> logprobs, List<float[]> reference) {
    double moved = 0;
    double risen = 0;
    int count = 0;
    for (int i = 0; i < logprobs.size(); i++) {
      for (int j = 0; j < logprobs.get(i).length; j++) {
        double d = reference.get(i)[j] - logprobs.get(i)[j];
        moved += Math.abs(d);
        risen += d;
        count++;
      }
    }
    return new double[] {moved / count, risen / count};
  }

  @Test
  void eightBitsCostAsLittleAsBf16() {
    assertThat(FIGURES.get("bf16")[0]).isBetween(1e-4, 0.02);
    assertThat(Math.abs(FIGURES.get("int8")[1])).isLessThan(0.005);
  }

  @Test
  void anEmbeddingInFewerBitsCostsMoreStill() {
    for (String form : List.of("int8", "nf4")) {
      assertThat(FIGURES.get(form + " with embeddings")[0]).as(form).isGreaterThan(FIGURES.get(form)[0]);
      assertThat(Math.abs(FIGURES.get(form + " with embeddings")[1])).as(form).isLessThan(form.equals("int8") ? 0.005 : 0.5);
    }
  }

  @Test
  void fourBitsCostMore() {
    for (String form : List.of("nf4", "int4")) {
      assertThat(FIGURES.get(form)[0]).as(form).isGreaterThan(FIGURES.get("int8")[0]);
      assertThat(FIGURES.get(form)[1]).as(form).isBetween(0.0, 0.3);
    }
  }
}
