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
  private BenchDecode() {}

  static Map<String, Object> decode(BaseModel model, Options options) {
    SplittableRandom random = new SplittableRandom(options.seed());
    List<int[]> prompts = new ArrayList<>();
    for (int i = 0; i < options.count(Option.BATCH); i++) {
      prompts.add(Figures.tokens(random, options.count(Option.PROMPT_TOKENS), model.vocabSize()));
    }
    Sampler sampler = options.sampler(model);
    int samples = options.count(Option.SAMPLES);
    SamplingParams params = SamplingParams.greedy().temperature(samples == 1 ? 0 : 1).seed(options.seed())
        .samples(samples).maxTokens(options.count(Option.NEW)).ignoringEos();
    if (options.text(Option.WEIGHTS).equals("int8")) {
      params = params.eightBit();
    }
    double[] seconds = new double[options.count(Option.TIMED)];
    List<List<Sample>> drawn = List.of();
    try (Progress progress = Progress.of("decode", 1 + seconds.length)) {
      for (int run = -1; run < seconds.length; run++) {
        long start = System.nanoTime();
        drawn = sampler.sample(prompts, params);
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
