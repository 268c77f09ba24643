package dev.fettle.examples;

import dev.fettle.AdamW;
import dev.fettle.BaseModel;
import dev.fettle.Batch;
import dev.fettle.Batches;
import dev.fettle.Dataset;
import dev.fettle.Datum;
import dev.fettle.InvalidInputException;
import dev.fettle.Lora;
import dev.fettle.Loss;
import dev.fettle.LossResult;
import dev.fettle.MemoryPlan;
import dev.fettle.Progress;
import dev.fettle.Renderer;
import dev.fettle.Renderers;
import dev.fettle.SamplingParams;
import dev.fettle.Tokenizers;
import dev.fettle.TrainOn;
import dev.fettle.Training;
import dev.fettle.internal.FileErrors;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import tools.jackson.databind.json.JsonMapper;

/** Training steps of {@link Bench}. */
final class BenchTrain {
  private BenchTrain() {}

  /** What timed steps were. */
  record Steps(double[] seconds, LossResult last) {}

  static Map<String, Object> random(BaseModel model, Options options) {
    List<Batch> batches = randomBatches(model, options, 1 + options.count(Option.TIMED));
    Training training = model.tune(options.tuning());
    MemoryPlan plan = training.memoryPlan(batches.get(0));
    Map<String, Object> result = trained(model, steps(training, batches, options), batches);
    result.put("planned_bytes", plan.total());
    result.put("weight_bytes", plan.bytes("weights"));
    if (options.has(Option.NEW)) {
      long start = System.nanoTime();
      int[] prompt = Figures.tokens(new SplittableRandom(options.seed()), 32, model.vocabSize());
      int count = training.sampler().sample(prompt, SamplingParams.greedy().maxTokens(options.count(Option.NEW)).ignoringEos()).get(0)
          .tokens().length;
      result.put("sampled_tokens_per_second", count / Figures.since(start));
      result.put("peak_rss_bytes", Figures.peakResidentBytes());
    }
    return result;
  }

  static Map<String, Object> examples(BaseModel model, Options options) {
    List<Batch> batches = read(model, options, 1 + options.count(Option.TIMED));
    if (options.has(Option.DUMP)) {
      dump(batches, options.path(Option.DUMP));
    }
    return trained(model, steps(model.tune(options.tuning()), batches, options), batches);
  }

  static Map<String, Object> start(BaseModel model, Options options) {
    Batch batch = randomBatches(model, options, 1).get(0);
    Training training = model.tune(options.tuning());
    double before = sinceJavaStarted();
    LossResult loss = training.step(batch, Loss.crossEntropy(), AdamW.learningRate(options.learningRate())).loss();
    double seconds = sinceJavaStarted();
    Map<String, Object> result = Figures.of(model, batch.tokens(), seconds);
    result.put("seconds_before_step", before);
    result.put("loss", loss.meanLoss());
    return result;
  }

  static Map<String, Object> save(BaseModel model, Options options) {
    Path directory = options.path(Option.OUT);
    model.tune(Lora.rank(1)).saveMerged(directory);
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("model", directory.toString());
    return result;
  }

  /** Trains on each batch; the first step is not timed. */
  static Steps steps(Training training, List<Batch> batches, Options options) {
    AdamW settings = AdamW.learningRate(options.learningRate());
    double[] seconds = new double[batches.size() - 1];
    LossResult loss = null;
    try (Progress progress = Progress.of("train", batches.size())) {
      for (int i = 0; i < batches.size(); i++) {
        long start = System.nanoTime();
        loss = training.step(batches.get(i), Loss.crossEntropy(), settings).loss();
        if (i > 0) {
          seconds[i - 1] = Figures.since(start);
        }
        progress.step(loss, batches.get(i).tokens());
      }
    }
    return new Steps(seconds, loss);
  }

  static List<Batch> randomBatches(BaseModel model, Options options, int count) {
    return randomBatches(model, options.seed(), count, options.count(Option.BATCH), options.count(Option.LENGTH));
  }

  static List<Batch> randomBatches(BaseModel model, long seed, int count, int size, int length) {
    SplittableRandom random = new SplittableRandom(seed);
    List<Batch> batches = new ArrayList<>();
    for (int b = 0; b < count; b++) {
      List<Datum> data = new ArrayList<>();
      for (int i = 0; i < size; i++) {
        data.add(Datum.of(Figures.tokens(random, 1 + length, model.vocabSize())));
      }
      batches.add(Batch.of(data));
    }
    return batches;
  }

  /** Batches differ, so rates are of all timed steps together; of equal batches that is nearly the median step's. */
  private static Map<String, Object> trained(BaseModel model, Steps steps, List<Batch> batches) {
    Map<String, Object> result = Figures.of(model, batches.get(0).tokens(), steps.seconds);
    List<Batch> timed = batches.subList(1, batches.size());
    boolean equal = timed.stream().allMatch(b -> b.tokens() == batches.get(0).tokens());
    double whole = Arrays.stream(steps.seconds).sum();
    long trained = timed.stream().flatMap(b -> b.data().stream()).mapToLong(Datum::trainedTokens).sum();
    if (!equal) {
      result.put("tokens_per_second", timed.stream().mapToLong(Batch::tokens).sum() / whole);
    }
    result.put("trained_tokens_per_second", trained / whole);
    result.put("loss", steps.last.meanLoss());
    return result;
  }

  private static List<Batch> read(BaseModel model, Options options, int count) {
    if (options.has(Option.BATCH) && options.has(Option.BATCH_TOKENS)) {
      throw new UsageException("--batch and --batch-tokens exclude each other");
    }
    Renderer renderer = options.has(Option.TOKENIZER)
        ? Renderers.detect(Tokenizers.open(options.path(Option.TOKENIZER))) : model.renderer();
    Renderer answers = renderer.trainOn(TrainOn.ALL_ASSISTANT_MESSAGES);
    Dataset data = options.examples(Option.DATA)
        .shuffle(options.seed())
        .maxLength(Math.min(options.count(Option.LENGTH), model.contextLength()));
    Batches batches = options.has(Option.BATCH_TOKENS)
        ? data.batchesByTokens(options.count(Option.BATCH_TOKENS), answers)
        : data.batches(options.count(Option.BATCH, 8), answers);
    List<Batch> out = new ArrayList<>();
    for (Batch batch : batches) {
      out.add(fitting(batch, model.vocabSize()));
      if (out.size() == count) {
        return out;
      }
    }
    throw new InvalidInputException(options.path(Option.DATA) + " has only " + out.size() + " batches, and " + count
        + " are needed, the first of them not timed: lower --steps or --batch");
  }

  /** A random model has no tokenizer of its own: ids beyond its vocabulary become others, which cost the same. */
  private static Batch fitting(Batch batch, int vocab) {
    return Batch.of(batch.data().stream()
        .map(d -> Datum.supervised(within(d.inputs(), vocab), within(d.targets(), vocab), d.weights())).toList());
  }

  private static int[] within(int[] ids, int vocab) {
    return Arrays.stream(ids).map(id -> id % vocab).toArray();
  }

  private static void dump(List<Batch> batches, Path file) {
    List<Object> out = new ArrayList<>();
    for (Batch batch : batches) {
      out.add(batch.data().stream()
          .map(d -> Map.of("inputs", d.inputs(), "targets", d.targets(), "weights", d.weights())).toList());
    }
    try {
      Files.writeString(file, new JsonMapper().writeValueAsString(out));
    } catch (IOException e) {
      throw FileErrors.unsaved(file, e);
    }
  }

  private static double sinceJavaStarted() {
    return (System.currentTimeMillis() - ManagementFactory.getRuntimeMXBean().getStartTime()) / 1e3;
  }
}
