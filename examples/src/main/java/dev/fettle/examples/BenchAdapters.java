package dev.fettle.examples;

import dev.fettle.AdamW;
import dev.fettle.Batch;
import dev.fettle.DType;
import dev.fettle.Datum;
import dev.fettle.Lora;
import dev.fettle.Loss;
import dev.fettle.Sample;
import dev.fettle.SamplingParams;
import dev.fettle.internal.Backend;
import dev.fettle.internal.Futures;
import dev.fettle.internal.Linux;
import dev.fettle.internal.LiveRequest;
import dev.fettle.internal.LocalEngine;
import dev.fettle.internal.ModelBackend;
import dev.fettle.internal.SampleListener;
import dev.fettle.internal.SampledToken;
import dev.fettle.internal.SamplerBackend;
import dev.fettle.internal.TrainingBackend;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import tools.jackson.databind.json.JsonMapper;

/** Many clients of {@link Bench}, each with an adapter of its own on one model, as a server has them. */
final class BenchAdapters {
  private BenchAdapters() {}

  static void run(Options options, PrintStream out) {
    int clients = options.count(Option.BATCH);
    try (RandomModel random = RandomModel.write(options.text(Option.RANDOM));
        Backend backend = LocalEngine.find("Bench adapters").open()) {
      Optional<DType> type = options.has(Option.DTYPE) ? Optional.of(options.dtype()) : Optional.empty();
      ModelBackend model = backend.initialise(random.directory(), type, Optional.empty(), options.seed());
      List<SamplerBackend> samplers = new ArrayList<>();
      long first = 0;
      for (int i = 0; i < clients; i++) {
        samplers.add(trained(model, options.count(Option.RANK), i));
        first = i == 0 ? resident() : first;
      }
      Map<String, Object> result = new LinkedHashMap<>();
      result.put("clients", clients);
      result.put("bytes_per_adapter", clients == 1 ? 0 : (resident() - first) / (clients - 1));
      Rates rates = new Rates(options, model.vocabSize());
      rates.of(samplers, clients);
      List<Double> several = new ArrayList<>();
      List<Double> one = new ArrayList<>();
      List<Double> alone = new ArrayList<>();
      for (int i = 0; i < options.count(Option.TIMED); i++) {
        several.add(rates.of(samplers, clients));
        one.add(rates.of(Collections.nCopies(clients, samplers.get(0)), clients));
        alone.add(rates.of(samplers.subList(0, Math.min(clients, 4)), 1));
      }
      result.put("tokens_per_second", median(several));
      result.put("tokens_per_second_of_one_adapter", median(one));
      result.put("tokens_per_second_in_turn", median(alone));
      result.put("peak_rss_bytes", Figures.peakResidentBytes());
      out.println(new JsonMapper().writeValueAsString(result));
    }
  }

  private static double median(List<Double> values) {
    return Figures.median(values.stream().mapToDouble(v -> v).toArray());
  }

  private static long resident() {
    System.gc();
    return Linux.HERE.residentBytes().orElse(0);
  }

  /** An adapter that has learned something, without the training that it comes from. */
  private static SamplerBackend trained(ModelBackend model, int rank, int seed) {
    TrainingBackend training = model.tune(Lora.rank(rank).seed(seed));
    try {
      int[] tokens = Figures.tokens(new SplittableRandom(seed), 16, model.vocabSize());
      Futures.join(training.step(Batch.of(Datum.of(tokens)), Loss.crossEntropy(), AdamW.learningRate(1e-3)));
      return Futures.join(training.sampler());
    } finally {
      training.close();
    }
  }

  /** How fast samples are made. */
  private record Rates(Options options, int vocabulary) {
    /** New tokens a second of one sample of each sampler, so many at a time. */
    double of(List<SamplerBackend> samplers, int together) {
      SplittableRandom random = new SplittableRandom(options.seed());
      SamplingParams params = SamplingParams.greedy().maxTokens(options.count(Option.NEW)).ignoringEos();
      long start = System.nanoTime();
      int tokens = 0;
      for (int i = 0; i < samplers.size(); i += together) {
        List<Counted> some = new ArrayList<>();
        for (SamplerBackend sampler : samplers.subList(i, Math.min(samplers.size(), i + together))) {
          Counted sample = new Counted();
          some.add(sample);
          int[] prompt = Figures.tokens(random, options.count(Option.PROMPT_TOKENS), vocabulary);
          sampler.begin(new LiveRequest(prompt, params, 0, false, List.of(sample)));
        }
        for (Counted sample : some) {
          tokens += Futures.join(sample.whole);
        }
      }
      return tokens / Figures.since(start);
    }
  }

  private static final class Counted implements SampleListener {
    private final CompletableFuture<Integer> whole = new CompletableFuture<>();
    private int tokens;

    @Override
    public void token(SampledToken token) {
      tokens++;
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
}
