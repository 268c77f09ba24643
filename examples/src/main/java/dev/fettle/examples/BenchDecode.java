package dev.fettle.examples;

import dev.fettle.BaseModel;
import dev.fettle.Progress;
import dev.fettle.Sample;
import dev.fettle.Sampler;
import dev.fettle.SamplingParams;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/** Sampling of {@link Bench}. */
final class BenchDecode {
  private final List<int[]> prompts = new ArrayList<>();
  private final Sampler sampler;
  private final SamplingParams params;

  BenchDecode(BaseModel model, Options options) {
    SplittableRandom random = new SplittableRandom(options.seed());
    for (int i = 0; i < options.count(Option.BATCH); i++) {
      prompts.add(Figures.tokens(random, options.count(Option.PROMPT_TOKENS), model.vocabSize()));
    }
    this.sampler = options.sampler(model);
    int samples = options.count(Option.SAMPLES);
    SamplingParams exact = SamplingParams.greedy().temperature(samples == 1 ? 0 : 1).seed(options.seed())
        .samples(samples).maxTokens(options.count(Option.NEW)).ignoringEos();
    this.params = options.text(Option.WEIGHTS).equals("int8") ? exact.eightBit() : exact;
  }

  List<List<Sample>> run() {
    return sampler.sample(prompts, params);
  }

  static Map<String, Object> decode(BaseModel model, Options options) {
    return new BenchDecode(model, options).measure(model, options.count(Option.TIMED));
  }

  Map<String, Object> measure(BaseModel model, int times) {
    double[] seconds = new double[times];
    List<List<Sample>> drawn = List.of();
    try (Progress progress = Progress.of("decode", 1 + seconds.length)) {
      for (int run = -1; run < seconds.length; run++) {
        long start = System.nanoTime();
        drawn = run();
        if (run >= 0) {
          seconds[run] = Figures.since(start);
        }
        progress.step(Double.NaN, count(drawn));
      }
    }
    Map<String, Object> result = Figures.of(model, count(drawn), seconds);
    result.put("prompt_ids", prompts.get(0));
    result.put("ids", drawn.get(0).get(0).tokens());
    return result;
  }

  private static int count(List<List<Sample>> drawn) {
    return drawn.stream().flatMap(List::stream).mapToInt(s -> s.tokens().length).sum();
  }
}
