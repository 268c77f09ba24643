package dev.fettle.recipes;

import dev.fettle.Batch;
import dev.fettle.CustomLoss;
import dev.fettle.Dataset;
import dev.fettle.Datum;
import dev.fettle.Example;
import dev.fettle.InvalidInputException;
import dev.fettle.Loss;
import dev.fettle.Sampler;
import dev.fettle.Schedule;
import dev.fettle.StepResult;
import dev.fettle.TooLong;
import dev.fettle.Training;
import dev.fettle.internal.Positive;
import dev.fettle.internal.data.Limit;
import dev.fettle.internal.recipe.Checkpoints;
import dev.fettle.internal.recipe.Epochs;
import dev.fettle.internal.recipe.Recorder;
import dev.fettle.internal.recipe.RunFiles;
import dev.fettle.recipes.Lessons.Lesson;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Learning from answers that people, or another model, found good or bad. Its loss is a function of the logprobs of whole
 * answers, so it runs on a service of the Tinker protocol as well as here.
 *
 * <p>The loop in {@link #run()} uses public calls only: copy it and change it where these classes do not do what you want.
 * The learning rate begins at 1e-5 unless {@link #learningRate} is called, and falls evenly to 0. A run that is resumed needs
 * the training as it was before that run. Not thread-safe, for one use.
 *
 * @param <R> the recipe itself
 */
public abstract sealed class PreferenceRecipe<R extends PreferenceRecipe<R>> extends Recipe<R> permits Dpo, Kto, Orpo, SimPo {
  private final String name;
  private final String unit;
  private @Nullable Dataset data;
  private int epochs = 1;
  private int batchSize = 8;
  private Limit limit = Limit.NONE;

  PreferenceRecipe(Training training, String name, String unit) {
    super(training, 1e-5);
    this.name = name;
    this.unit = unit;
  }

  /** What to learn from, which {@link #run()} reads once and holds as tokens. Required. */
  public R data(Dataset examples) {
    data = Objects.requireNonNull(examples, "examples");
    return self();
  }

  /** How often each example is seen, in another order each time. Default 1. */
  public R epochs(int n) {
    epochs = Positive.of("epochs", n);
    return self();
  }

  /** Pairs a step, or answers where there are no pairs. Default 8. */
  public R batchSize(int n) {
    batchSize = Positive.of("batchSize", n);
    return self();
  }

  /** Tokens of a prompt and an answer together, at most. Default, and upper bound, the model's context. */
  public R maxLength(int tokens) {
    limit = limit.atMost(tokens);
    return self();
  }

  /**
   * What becomes of examples that are longer: by default answers are cut at their end, and an example of which an answer is
   * cut off whole is left out.
   */
  public R tooLong(TooLong longer) {
    limit = limit.treating(Objects.requireNonNull(longer, "longer"));
    return self();
  }

  /**
   * Trains.
   *
   * @throws InvalidInputException if there are no data, or others than the recipe learns from, one cannot be rendered, some are
   *     too long and rejected, or the directory is rejected as in {@link Sft#run()}
   */
  @Override
  public Run run() {
    Dataset examples = data;
    if (examples == null) {
      throw new InvalidInputException(name + " without data: call data(...) with at least one " + unit);
    }
    try (Checkpoints kept = checkpoints()) {
      Lessons lessons = new Lessons(name, unit, training.renderer(), examples, limit);
      for (Example example : examples.examples()) {
        read(example, lessons);
      }
      return run(kept, lessons, complete(lessons));
    }
  }

  private Run run(Checkpoints kept, Lessons read, List<Lesson> lessons) {
    String file = name.toLowerCase(Locale.ROOT);
    String hash = read.sha256();
    Epochs<Lesson> batches = new Epochs<>(lessons, epochs, batchSize, seed);
    int total = batches.count();
    Schedule rates = Schedule.linear(learningRate, total);
    Map<Datum, Double> reference = new HashMap<>();
    int seen = 0;
    // The reference is taken before the state of an interrupted run is loaded.
    try (@Nullable Sampler start = comparesWithStart() ? training.sampler() : null;
        Recorder record = recorder(kept, file, settings(read, hash), total)) {
      for (List<Lesson> chosen : batches) {
        if (seen++ < record.count()) {
          continue;
        }
        List<Datum> sequences = chosen.stream().flatMap(lesson -> lesson.data().stream()).toList();
        List<Double> before = start == null ? List.of() : sequences.stream()
            .map(datum -> reference.computeIfAbsent(datum, d -> Answers.logprob(start, d))).toList();
        Batch batch = Batch.of(sequences);
        double rate = rates.at(record.count());
        StepResult result = training.step(batch, Loss.custom(loss(chosen, before)), optimizer.withLearningRate(rate));
        Map<String, Double> line = record.line(result, rate, batch);
        metrics().stream().filter(result.loss().metrics()::containsKey)
            .forEach(metric -> line.put(metric, result.loss().metrics().get(metric)));
        line.put("loss", result.loss().loss());
        record.write(line);
        if (kept.stop(record.count(), total, saveEvery, hash)) {
          return record.stopped(total);
        }
      }
      return record.finish("all " + total + " steps done", 0, List.of());
    }
  }

  /** Adds an example to what is learnt from, or refuses it. */
  void read(Example example, Lessons into) {
    var pair = into.pair(example);
    into.add(List.of(pair.chosen(), pair.rejected()), true);
  }

  /** What is learnt from, when all is read. */
  List<Lesson> complete(Lessons lessons) {
    return lessons.all();
  }

  /** Whether the loss needs the logprobs that the answers had at the start. */
  abstract boolean comparesWithStart();

  /**
   * The loss of a batch.
   *
   * @param reference the logprobs that its answers had at the start, if they are asked for
   */
  abstract CustomLoss loss(List<Lesson> batch, List<Double> reference);

  /** The loss's metrics, in the order in which they are written. */
  List<String> metrics() {
    return List.of("accuracy", "margin", "chosen_reward", "rejected_reward");
  }

  /** The recipe's own settings. */
  abstract Map<String, Object> settings();

  private Map<String, Object> settings(Lessons lessons, String hash) {
    Map<String, Object> settings = new LinkedHashMap<>();
    settings.put(unit + "s", lessons.read());
    settings.put("data_sha256", hash);
    settings.put("lengths", lessons.lengths());
    settings.put("epochs", epochs);
    settings.put("batch_size", batchSize);
    settings.putAll(settings());
    settings.put("learning_rate", learningRate);
    settings.put("optimizer", RunFiles.optimizer(optimizer));
    settings.put("seed", seed);
    return settings;
  }

  static double positive(String what, double value) {
    if (!(value > 0 && value < Double.POSITIVE_INFINITY)) {
      throw new InvalidInputException(what + " " + value + ": give a positive number");
    }
    return value;
  }

  static double notNegative(String what, double value) {
    if (!(value >= 0 && value < Double.POSITIVE_INFINITY)) {
      throw new InvalidInputException(what + " " + value + ": give a finite number, at least 0");
    }
    return value;
  }

  /** What it learns from, for people. */
  String source() {
    return data == null ? "no data" : data.toString();
  }
}
