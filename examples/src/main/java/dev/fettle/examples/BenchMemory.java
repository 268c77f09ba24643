package dev.fettle.examples;

import dev.fettle.AdamW;
import dev.fettle.BaseModel;
import dev.fettle.Batch;
import dev.fettle.DType;
import dev.fettle.Fettle;
import dev.fettle.FettleException;
import dev.fettle.Full;
import dev.fettle.Lora;
import dev.fettle.Loss;
import dev.fettle.MemoryPlan;
import dev.fettle.Modules;
import dev.fettle.Sampler;
import dev.fettle.SamplingParams;
import dev.fettle.Training;
import dev.fettle.Tuning;
import dev.fettle.ranking.RankLoss;
import dev.fettle.ranking.Ranked;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Stream;

/** Planned memory beside the growth of the process that does the work. */
final class BenchMemory {
  private static final String HEAD = "| setting | planned, GiB | measured, GiB | planned / measured | largest parts |\n"
      + "|---|---|---|---|---|\n";
  private static final Map<String, Work> SETTINGS = new LinkedHashMap<>();

  static {
    SETTINGS.put("lora-8-f32", train("smollm2-135m", DType.F32, Lora.rank(8), 4, 256, 1));
    SETTINGS.put("lora-64-bf16", train("smollm2-135m", DType.BF16, Lora.rank(64), 4, 256, 1));
    SETTINGS.put("lora-256-f32", train("smollm2-135m", DType.F32, Lora.rank(256), 4, 256, 1));
    SETTINGS.put("lora-256-f32-accumulated", train("smollm2-135m", DType.F32, Lora.rank(256), 4, 256, 2));
    SETTINGS.put("lora-16-bf16-long", train("smollm2-135m", DType.BF16, Lora.rank(16), 1, 4096, 1));
    SETTINGS.put("lora-16-bf16-qwen", train("qwen3-0.6b", DType.BF16, Lora.rank(16), 4, 256, 1));
    SETTINGS.put("dora-16-f32", train("smollm2-135m", DType.F32, Lora.rank(16).dora(), 4, 256, 1));
    SETTINGS.put("full-f32", train("smollm2-135m", DType.F32, Full.all(), 4, 256, 1));
    SETTINGS.put("full-bf16-accumulated", train("smollm2-135m", DType.BF16, Full.all(), 8, 512, 2));
    SETTINGS.put("hybrid-bf16", train("smollm2-135m", DType.BF16,
        Lora.rank(16).plus(Full.of(Modules.lastLayers(2), Modules.lmHead())), 8, 512, 1));
    SETTINGS.put("contrastive-f32", BenchMemory::contrastive);
    SETTINGS.put("sample-8-bf16", BenchMemory::sample);
  }

  private BenchMemory() {}

  /** Does some work and says what was planned for it. */
  @FunctionalInterface
  private interface Work {
    MemoryPlan run();
  }

  static List<String> names() {
    return List.copyOf(SETTINGS.keySet());
  }

  static void run(Options options, PrintStream out) {
    if (options.has(Option.SETTING)) {
      out.println(row(options.text(Option.SETTING)));
    } else {
      out.print(HEAD);
      names().forEach(name -> out.println(inProcess(name)));
    }
  }

  /** The row of a setting, measured here: what was loaded and freed before is not counted. */
  private static String row(String name) {
    try (Fettle fettle = Fettle.local()) {
      Training small = fettle.load("fettle-tiny").tune(Lora.rank(2));
      small.step(Batch.of(BenchTrain.randomBatches(small.model(), 0, 1, 4, 32).get(0).data()), Loss.crossEntropy(),
          AdamW.learningRate(1e-4));
    }
    System.gc();
    Figures.forgetPeak();
    long before = Figures.peakResidentBytes();
    MemoryPlan plan = SETTINGS.get(name).run();
    long growth = Figures.peakResidentBytes() - before;
    return String.format(Locale.ROOT, "| %s | %.3f | %.3f | %.2f | %s |", name, gib(plan.total()), gib(growth),
        plan.total() / (double) growth, plan.toString().replaceAll(".*?: |]", ""));
  }

  /** The same in a new process, whose Java heap has its size from the beginning. */
  private static String inProcess(String name) {
    List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "-Xms256m", "-Xmx256m", "-XX:+AlwaysPreTouch", "-cp", System.getProperty("java.class.path")));
    Stream.of("fettle.threads", "fettle.kernels").filter(key -> System.getProperty(key) != null)
        .forEach(key -> command.add("-D" + key + "=" + System.getProperty(key)));
    command.addAll(List.of(Bench.class.getName(), "memory", "--setting", name));
    try {
      Process process = new ProcessBuilder(command).redirectError(Redirect.INHERIT).start();
      String row = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
      int code = process.waitFor();
      return code == 0 ? row : "| " + name + " | failed with exit code " + code + " | | | |";
    } catch (IOException e) {
      throw new FettleException("no process could be started with " + command.get(0) + ": " + e, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new FettleException("interrupted", e);
    }
  }

  /** Two steps, of so many passes each: the second one has all that any later one has. */
  private static Work train(String shape, DType type, Tuning tuning, int size, int length, int passes) {
    return () -> with(shape, type, model -> {
      Training training = model.tune(tuning);
      Batch batch = BenchTrain.randomBatches(model, 0, 1, size, length).get(0);
      MemoryPlan plan = null;
      for (int step = 0; step < 2; step++) {
        for (int pass = 0; pass < passes; pass++) {
          plan = training.memoryPlan(batch);
          training.forwardBackward(batch, Loss.crossEntropy());
        }
        training.optimStep(AdamW.learningRate(1e-4));
      }
      return plan;
    });
  }

  private static MemoryPlan contrastive() {
    return with("minilm-l6-v2", DType.F32, model -> {
      BenchTexts texts = new BenchTexts(model, 0, 128);
      List<Ranked> batch = new ArrayList<>();
      for (int i = 0; i < 32; i++) {
        List<String> pair = texts.next(2);
        batch.add(Ranked.pair(pair.get(0), pair.get(1)));
      }
      Training training = model.tune(Lora.rank(16));
      MemoryPlan plan = training.memoryPlan(batch, RankLoss.contrastive());
      for (int step = 0; step < 2; step++) {
        training.step(batch, RankLoss.contrastive(), AdamW.learningRate(1e-4));
      }
      return plan;
    });
  }

  private static MemoryPlan sample() {
    return with("smollm2-135m", DType.BF16, model -> {
      int[] prompt = Figures.tokens(new SplittableRandom(0), 64, model.vocabSize());
      SamplingParams params = SamplingParams.standard().maxTokens(512).samples(8);
      Sampler sampler = model.sampler();
      MemoryPlan plan = sampler.memoryPlan(prompt, params);
      sampler.sample(prompt, params);
      return plan;
    });
  }

  @FunctionalInterface
  private interface ModelWork {
    MemoryPlan of(BaseModel model);
  }

  private static MemoryPlan with(String shape, DType type, ModelWork work) {
    try (RandomModel random = RandomModel.write(shape); Fettle fettle = Fettle.local()) {
      return work.of(fettle.initialise(random.directory(), type, 0));
    }
  }

  private static double gib(long bytes) {
    return bytes / (double) (1 << 30);
  }
}
