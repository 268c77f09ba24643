package dev.fettle.examples;

import dev.fettle.AdamW;
import dev.fettle.BaseModel;
import dev.fettle.Batch;
import dev.fettle.Datum;
import dev.fettle.Fettle;
import dev.fettle.Loss;
import dev.fettle.LossResult;
import dev.fettle.Progress;
import dev.fettle.Sample;
import dev.fettle.Sampler;
import dev.fettle.SamplingParams;
import dev.fettle.Training;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import tools.jackson.databind.json.JsonMapper;

/** Measures training steps or sampling on random tokens. */
public final class Bench {
  private static final Command TRAIN = new Command("Bench train",
      "Times training steps on random tokens, every position in the loss, --length positions a sequence. The last\n"
          + "  line is JSON: tokens a second, seconds of the median step, peak memory, mean loss of the last step.")
      .takes(Option.MODEL, Option.RANDOM, Option.ADAPTER, Option.RANK, Option.LR, Option.DTYPE)
      .takes(Option.METHOD, "lora")
      .takes(Option.BATCH, "4")
      .takes(Option.LENGTH, "256")
      .takes(Option.TIMED, "5")
      .takes(Option.SEED, "0");

  private static final Command DECODE = new Command("Bench decode",
      "Times greedy sampling from random prompts. The last line is JSON: new tokens a second, seconds of the median\n"
          + "  run (prompt included), peak memory, prompt and sampled ids of the first sequence.")
      .takes(Option.MODEL, Option.RANDOM, Option.ADAPTER, Option.DTYPE)
      .takes(Option.BATCH, "1")
      .takes(Option.PROMPT_TOKENS, "32")
      .takes(Option.NEW, "64")
      .takes(Option.TIMED, "3")
      .takes(Option.SEED, "0");

  private Bench() {}

  public static void main(String[] args) {
    Command.exit(run(args, Command.utf8(System.out), Command.utf8(System.err)));
  }

  static int run(String[] args, PrintStream out, PrintStream err) {
    String verb = args.length == 0 ? "" : args[0];
    String[] rest = Arrays.copyOfRange(args, Math.min(1, args.length), args.length);
    switch (verb) {
      case "train":
        return TRAIN.run(rest, out, err, (options, o) -> measure(options, o, Bench::train));
      case "decode":
        return DECODE.run(rest, out, err, (options, o) -> measure(options, o, Bench::decode));
      case "--help":
        out.print(TRAIN.usage() + DECODE.usage());
        return 0;
      default:
        err.println("the first argument says what is measured, train or decode" + (verb.isEmpty() ? "" : ": " + verb));
        err.print(TRAIN.usage() + DECODE.usage());
        return Command.MISUSED;
    }
  }

  @FunctionalInterface
  private interface Measurement {
    Map<String, Object> of(BaseModel model, Options options);
  }

  private static void measure(Options options, PrintStream out, Measurement measurement) {
    options.either(Option.MODEL, Option.RANDOM);
    try (RandomModel random = options.has(Option.RANDOM)
            ? RandomModel.write(options.text(Option.RANDOM)) : null;
        Fettle fettle = Fettle.local()) {
      BaseModel model = random == null ? options.load(fettle)
          : options.initialise(fettle, random.directory());
      out.println(model);
      out.println(new JsonMapper().writeValueAsString(measurement.of(model, options)));
    }
  }

  private static Map<String, Object> train(BaseModel model, Options options) {
    Training training = model.tune(options.tuning());
    AdamW settings = AdamW.learningRate(options.learningRate());
    SplittableRandom random = new SplittableRandom(options.seed());
    double[] seconds = new double[options.count(Option.TIMED)];
    LossResult loss = null;
    int tokens = options.count(Option.BATCH) * options.count(Option.LENGTH);
    try (Progress progress = Progress.of("train", 1 + seconds.length)) {
      for (int step = -1; step < seconds.length; step++) {
        Batch batch = batch(model, options, random);
        long start = System.nanoTime();
        loss = training.step(batch, Loss.crossEntropy(), settings).loss();
        if (step >= 0) {
          seconds[step] = since(start);
        }
        progress.step(loss, tokens);
      }
    }
    Map<String, Object> result = result(model, tokens, seconds);
    result.put("loss", loss.meanLoss());
    return result;
  }

  private static Batch batch(BaseModel model, Options options, SplittableRandom random) {
    List<Datum> data = new ArrayList<>();
    for (int i = 0; i < options.count(Option.BATCH); i++) {
      data.add(Datum.of(tokens(random, 1 + options.count(Option.LENGTH), model.vocabSize())));
    }
    return Batch.of(data);
  }

  private static Map<String, Object> decode(BaseModel model, Options options) {
    SplittableRandom random = new SplittableRandom(options.seed());
    List<int[]> prompts = new ArrayList<>();
    for (int i = 0; i < options.count(Option.BATCH); i++) {
      prompts.add(tokens(random, options.count(Option.PROMPT_TOKENS), model.vocabSize()));
    }
    Sampler sampler = options.sampler(model);
    SamplingParams params = SamplingParams.greedy().maxTokens(options.count(Option.NEW)).ignoringEos();
    double[] seconds = new double[options.count(Option.TIMED)];
    List<Sample> samples = List.of();
    try (Progress progress = Progress.of("decode", 1 + seconds.length)) {
      for (int run = -1; run < seconds.length; run++) {
        long start = System.nanoTime();
        samples = sampler.sample(prompts, params).stream().map(s -> s.get(0)).toList();
        if (run >= 0) {
          seconds[run] = since(start);
        }
        progress.step(Double.NaN, count(samples));
      }
    }
    Map<String, Object> result = result(model, count(samples), seconds);
    result.put("prompt_ids", prompts.get(0));
    result.put("ids", samples.get(0).tokens());
    return result;
  }

  private static int count(List<Sample> samples) {
    return samples.stream().mapToInt(s -> s.tokens().length).sum();
  }

  private static int[] tokens(SplittableRandom random, int count, int vocab) {
    return random.ints(count, 0, vocab).toArray();
  }

  private static double since(long start) {
    return (System.nanoTime() - start) / 1e9;
  }

  private static Map<String, Object> result(BaseModel model, int tokens, double[] seconds) {
    double[] sorted = seconds.clone();
    Arrays.sort(sorted);
    double median = (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("tokens_per_second", tokens / median);
    result.put("seconds", median);
    result.put("peak_rss_bytes", peakResidentBytes());
    result.put("dtype", model.dtype().toString().toLowerCase(Locale.ROOT));
    return result;
  }

  /** The most memory that this process ever had; -1 where the system does not say. */
  private static long peakResidentBytes() {
    try {
      for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
        if (line.startsWith("VmHWM:")) {
          return 1024 * Long.parseLong(line.replaceAll("\\D", ""));
        }
      }
    } catch (IOException | NumberFormatException e) {
      return -1;
    }
    return -1;
  }
}
