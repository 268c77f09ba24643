package dev.fettle.examples;

import dev.fettle.AdamW;
import dev.fettle.BaseModel;
import dev.fettle.Batch;
import dev.fettle.Destination;
import dev.fettle.Fettle;
import dev.fettle.Lora;
import dev.fettle.Loss;
import dev.fettle.Progress;
import dev.fettle.SamplingParams;
import dev.fettle.Training;
import dev.fettle.internal.FileErrors;
import dev.fettle.recipes.Charts;
import dev.fettle.recipes.Charts.Axis;
import dev.fettle.recipes.Charts.Series;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;
import javax.imageio.ImageIO;

/** LoRA steps, or decoding, while one thing grows. */
final class BenchSweep {
  /** Tokens of a prompt, and as many new ones, where decoding is measured. */
  private static final int PROMPT = 32;

  private BenchSweep() {}

  /** One measurement: how big what grows is, and what a step costs. */
  record Point(int value, double tokensPerSecond, double seconds, long peakBytes) {}

  static Map<String, Object> sweep(BaseModel model, Options options) {
    String what = options.text(Option.WHAT);
    if (what.equals("layers")) {
      options.needs(Option.RANDOM);
    }
    try (Destination figures = Destination.within(options.path(Option.FIGURES))) {
      return sweep(what, model, options, figures.path());
    }
  }

  private static Map<String, Object> sweep(String what, BaseModel model, Options options, Path figures) {
    List<Integer> values = values(what, model, options);
    List<Point> points = new ArrayList<>();
    // Once for Java's compiler: the first point would be slow for being the first.
    point(what, values.get(0), model, options);
    try (Progress progress = Progress.of("sweep " + what, values.size())) {
      for (int value : values) {
        points.add(point(what, value, model, options));
        progress.step(Double.NaN, 0);
      }
    }
    write(what, points, model, figures);
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("what", what);
    result.put("values", points.stream().map(Point::value).toList());
    result.put("tokens_per_second", points.stream().map(Point::tokensPerSecond).toList());
    result.put("seconds", points.stream().map(Point::seconds).toList());
    result.put("peak_rss_bytes", points.stream().map(Point::peakBytes).toList());
    if (points.size() > 1) {
      result.put("exponents", Map.of("seconds", exponent(points, Point::seconds), "peak_rss_bytes", exponent(points, Point::peakBytes)));
    }
    return result;
  }

  private static List<Integer> values(String what, BaseModel model, Options options) {
    int first = what.equals("length") ? 128 : 1;
    int most = switch (what) {
      case "length" -> Math.min(4096, model.contextLength());
      case "rank" -> 256;
      case "batch" -> 32;
      case "adapters", "sequences" -> 64;
      case "layers" -> (int) RandomModel.config(options.text(Option.RANDOM)).get("num_hidden_layers");
      default -> throw new IllegalArgumentException(what);
    };
    most = Math.min(most, options.count(Option.MOST, most));
    List<Integer> values = new ArrayList<>();
    for (int value = Math.min(first, most); value <= most; value *= 2) {
      values.add(value);
    }
    return values;
  }

  /** The slope of the logarithms by least squares: what is measured grows as value^e. */
  static double exponent(List<Point> points, ToDoubleFunction<Point> measured) {
    double x = points.stream().mapToDouble(p -> Math.log(p.value)).average().orElseThrow();
    double y = points.stream().mapToDouble(p -> Math.log(measured.applyAsDouble(p))).average().orElseThrow();
    double both = points.stream().mapToDouble(p -> (Math.log(p.value) - x) * (Math.log(measured.applyAsDouble(p)) - y)).sum();
    return both / points.stream().mapToDouble(p -> Math.pow(Math.log(p.value) - x, 2)).sum();
  }

  private static Point point(String what, int value, BaseModel model, Options options) {
    if (what.equals("sequences")) {
      return decoded(value, model, options);
    }
    if (!what.equals("layers")) {
      return measured(what, value, model, options);
    }
    try (RandomModel random = RandomModel.write(options.text(Option.RANDOM), value); Fettle fettle = Fettle.local()) {
      return measured(what, value, options.initialise(fettle, random.directory()), options);
    }
  }

  private static Point measured(String what, int value, BaseModel model, Options options) {
    int length = what.equals("length") ? value : options.count(Option.LENGTH);
    int batch = what.equals("length") ? 1 : what.equals("batch") ? value : options.count(Option.BATCH);
    Lora lora = Lora.rank(what.equals("rank") ? value : options.count(Option.RANK)).seed(options.seed());
    AdamW settings = AdamW.learningRate(options.learningRate());
    double[] seconds = new double[options.count(Option.TIMED)];
    List<Batch> batches = BenchTrain.randomBatches(model, options.seed(), 1 + seconds.length, batch, length);
    List<Training> trainings = new ArrayList<>();
    Figures.forgetPeak();
    try {
      for (int i = 0; i < (what.equals("adapters") ? value : 1); i++) {
        trainings.add(model.tune(lora));
      }
      for (int step = -1; step < seconds.length; step++) {
        long start = System.nanoTime();
        for (Training training : trainings) {
          training.step(batches.get(1 + step), Loss.crossEntropy(), settings);
        }
        if (step >= 0) {
          seconds[step] = Figures.since(start) / trainings.size();
        }
      }
    } finally {
      trainings.forEach(Training::close);
    }
    double median = Figures.median(seconds);
    return new Point(value, batch * length / median, median, Figures.peakResidentBytes());
  }

  /** Greedy decoding of as many tokens as a prompt has, of several sequences at once; one prompt for all would be read once. */
  private static Point decoded(int sequences, BaseModel model, Options options) {
    SplittableRandom random = new SplittableRandom(options.seed());
    int length = Math.min(PROMPT, options.count(Option.LENGTH));
    List<int[]> prompts = Stream.generate(() -> Figures.tokens(random, length, model.vocabSize())).limit(sequences).toList();
    double[] seconds = new double[options.count(Option.TIMED)];
    Figures.forgetPeak();
    for (int run = -1; run < seconds.length; run++) {
      long start = System.nanoTime();
      model.sampler().sample(prompts, SamplingParams.greedy().maxTokens(length).ignoringEos());
      if (run >= 0) {
        seconds[run] = Figures.since(start);
      }
    }
    double median = Figures.median(seconds);
    return new Point(sequences, sequences * length / median, median, Figures.peakResidentBytes());
  }

  private static void write(String what, List<Point> points, BaseModel model, Path directory) {
    StringBuilder csv = new StringBuilder(what + ",tokens_per_second,seconds,peak_rss_bytes\n");
    for (Point p : points) {
      csv.append(String.format(Locale.ROOT, "%d,%.3f,%.6f,%d%n", p.value, p.tokensPerSecond, p.seconds, p.peakBytes));
    }
    double[] values = points.stream().mapToDouble(Point::value).toArray();
    String title = String.format(Locale.ROOT, "%s, %.1f M parameters in %s",
        what.equals("sequences") ? "Decoding" : "LoRA step", model.parameters() / 1e6, model.dtype());
    Charts charts = Charts.light();
    BufferedImage plot = charts.stack(
        charts.lines(title, Axis.of(label(what)), Axis.fromZero("tokens a second"),
            Series.of("", values, points.stream().mapToDouble(Point::tokensPerSecond).toArray())),
        charts.lines(grows(points, Point::seconds), Axis.of(label(what)), Axis.fromZero("seconds"),
            Series.of("", values, points.stream().mapToDouble(Point::seconds).toArray())),
        charts.lines(grows(points, Point::peakBytes), Axis.of(label(what)), Axis.fromZero("peak memory, GiB"),
            Series.of("", values, points.stream().mapToDouble(p -> p.peakBytes / (double) (1 << 30)).toArray())));
    try {
      Files.createDirectories(directory);
      Files.writeString(directory.resolve("sweep-" + what + ".csv"), csv);
      ImageIO.write(plot, "png", directory.resolve("sweep-" + what + ".png").toFile());
    } catch (IOException e) {
      throw FileErrors.unsaved(directory, e);
    }
  }

  private static String grows(List<Point> points, ToDoubleFunction<Point> measured) {
    return points.size() < 2 ? "" : String.format(Locale.ROOT, "grows with exponent %.2f", exponent(points, measured));
  }

  private static String label(String what) {
    return switch (what) {
      case "length" -> "tokens of one sequence";
      case "rank" -> "rank of the adapters";
      case "batch" -> "sequences a step";
      case "layers" -> "layers of the model";
      case "sequences" -> "sequences decoded at once";
      default -> "adapters on one base";
    };
  }
}
