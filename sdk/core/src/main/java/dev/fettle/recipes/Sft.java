package dev.fettle.recipes;

import dev.fettle.AdamW;
import dev.fettle.Batch;
import dev.fettle.Batches;
import dev.fettle.DataSummary;
import dev.fettle.Dataset;
import dev.fettle.Datum;
import dev.fettle.InvalidInputException;
import dev.fettle.Lora;
import dev.fettle.Loss;
import dev.fettle.LossResult;
import dev.fettle.NumericException;
import dev.fettle.Progress;
import dev.fettle.Renderer;
import dev.fettle.Schedule;
import dev.fettle.StepResult;
import dev.fettle.TooLong;
import dev.fettle.TrainOn;
import dev.fettle.Training;
import dev.fettle.internal.NoNulls;
import dev.fettle.internal.OneLine;
import dev.fettle.internal.Positive;
import dev.fettle.internal.recipe.Checkpoints;
import dev.fettle.internal.recipe.Recorder;
import dev.fettle.internal.recipe.RunFiles;
import dev.fettle.internal.recipe.SampleTable;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * Supervised fine-tuning with what one would add to the loop: a schedule, validation, early stopping, the best weights
 * kept, checkpoints, and a record.
 *
 * <pre>{@code
 * Run run = Sft.on(training).data(train).validate(held).epochs(2).learningRate(5e-4).run();
 * }</pre>
 *
 * <p>The loop in {@link #run()} uses public calls only: copy it and change it where this class does not do what you want.
 * The learning rate is 5e-4 for adapters and 5e-5 for all weights unless {@link #learningRate} is called: it rises during the
 * first twentieth of the steps, then falls evenly to 0. A {@link #directory} also keeps the best weights, as a state in
 * {@code best}. Not thread-safe, for one use.
 */
public final class Sft extends Recipe<Sft> {
  /** Sequences a step unless {@link #batchSize(int)} is called. */
  public static final int DEFAULT_BATCH_SIZE = 16;
  /** How often the validation loss may fail to improve before the run ends, unless {@link #patience(int)} is called. */
  public static final int DEFAULT_PATIENCE = 3;
  /** Prompts that a report shows answers to, unless {@link #samples(int)} is called. */
  public static final int DEFAULT_SAMPLES = 3;
  /** The share of the steps in which the rate rises, unless {@link #schedule} is called. */
  public static final double WARMUP = 0.05;

  private @Nullable Dataset data;
  private @Nullable Dataset validation;
  private int epochs = 1;
  private int batchSize = DEFAULT_BATCH_SIZE;
  private @Nullable IntFunction<Schedule> schedule;
  private TrainOn trainOn = TrainOn.ALL_ASSISTANT_MESSAGES;
  private int most;
  private int accumulation = 1;
  private int validateEvery;
  private int patience = DEFAULT_PATIENCE;
  private int samples = DEFAULT_SAMPLES;

  private Sft(Training training) {
    super(training, training.tuning() instanceof Lora ? 5e-4 : 5e-5);
  }

  /** Begins with what is trained. */
  public static Sft on(Training training) {
    return new Sft(Objects.requireNonNull(training, "training"));
  }

  /** What to learn from. Required. */
  public Sft data(Dataset examples) {
    data = Objects.requireNonNull(examples, "examples");
    return this;
  }

  /** What to measure the loss on meanwhile; it is never trained on. */
  public Sft validate(Dataset examples) {
    validation = Objects.requireNonNull(examples, "examples");
    return this;
  }

  /** How often each example is seen, in another order each time. Default 1. */
  public Sft epochs(int n) {
    epochs = Positive.of("epochs", n);
    return this;
  }

  /** Sequences a step. Default 16. */
  public Sft batchSize(int n) {
    batchSize = Positive.of("batchSize", n);
    return this;
  }

  /**
   * Learns from so many batches a step, one after the other: as from one that is so many times as large, in the memory of one.
   * Default 1.
   */
  public Sft gradientAccumulation(int batches) {
    accumulation = Positive.of("gradientAccumulation", batches);
    return this;
  }

  /**
   * Ends after so many steps, if the data last so long; no more of the data is read than that takes, so they are not hashed.
   * Default when the data end.
   */
  public Sft steps(int atMost) {
    most = Positive.of("steps", atMost);
    return this;
  }

  /** Another schedule, made when the number of steps is known: {@code schedule(n -> Schedule.cosine(1e-3, n))}. */
  public Sft schedule(IntFunction<Schedule> ofSteps) {
    schedule = Objects.requireNonNull(ofSteps, "ofSteps");
    return this;
  }

  /** What is trained of a conversation. Default all assistant messages. */
  public Sft trainOn(TrainOn parts) {
    trainOn = Objects.requireNonNull(parts, "parts");
    return this;
  }

  /** Validates after every {@code steps} steps. Default a tenth of all. */
  public Sft validateEvery(int steps) {
    validateEvery = Positive.of("validateEvery", steps);
    return this;
  }

  /** Ends the run when the validation loss has not improved so many times in a row. Default 3. */
  public Sft patience(int validations) {
    patience = Positive.of("patience", validations);
    return this;
  }

  /**
   * How many prompts, of the validation data or else the data, the report shows what the model answers to before and after the
   * run; 0 for none. Default 3.
   */
  public Sft samples(int prompts) {
    if (prompts < 0) {
      throw new InvalidInputException("samples " + prompts + ": give at least 0");
    }
    samples = prompts;
    return this;
  }

  /**
   * Trains. A batch whose loss or gradient is not finite is skipped. Examples longer than the model's context, or than
   * {@link Dataset#maxLength(int)}, become what {@link Dataset#tooLong(TooLong)} says.
   *
   * @throws InvalidInputException if there are no data, some are too long and rejected, or the directory holds another run
   *     or one that has ended, cannot be written, or is in use by another run
   * @throws NumericException if three batches in a row have no finite loss or gradient
   */
  @Override
  public Run run() {
    Dataset examples = data;
    if (examples == null) {
      throw new InvalidInputException("Sft without data: call data(Dataset)");
    }
    try (Checkpoints kept = checkpoints()) {
      return run(kept, examples);
    }
  }

  private Run run(Checkpoints kept, Dataset examples) {
    Renderer renderer = training.renderer().trainOn(trainOn);
    // A step is one batch of the data, whatever number of passes it takes: positions in the data count steps.
    Batches batches = examples.shuffle(seed).epochs(epochs).batches(Math.multiplyExact(batchSize, accumulation), renderer);
    Optional<DataSummary> content = most > 0 ? Optional.empty() : Optional.of(batches.check("sft"));
    int total = Math.toIntExact(content.isPresent() ? content.get().batches() : batches.count(most));
    Schedule rates = schedule != null ? NoNulls.given(schedule.apply(total), "schedule", total + " steps")
        : Schedule.linear(learningRate, total).warmup((int) Math.ceil(WARMUP * total));
    int every = validateEvery > 0 ? validateEvery : Math.max(1, total / Checkpoints.COUNT);
    int saving = saveEvery > 0 ? saveEvery : every;
    Batches held = validation == null ? null : validation.batches(batchSize, renderer);
    long validated = 0;
    if (held != null) {
      validated = held.check("sft, validation data").batches();
    }
    Map<String, Object> settings = settings(examples, content, total, rates, every, saving);
    try (Recorder record = recorder(kept, "sft", settings, total)) {
      SampleTable answers = SampleTable.of(training, validation != null ? validation : examples, directory == null ? 0 : samples);
      kept.restore(record.steps());
      Batches left = kept.from(batches, record.steps());
      String ending = "all " + total + " steps done";
      Iterator<Batch> next = left.iterator();
      while (record.count() < total && next.hasNext()) {
        Batch batch = next.next();
        int step = record.count();
        Map<String, Double> line = step(record, batch, rates.at(step));
        boolean last = step + 1 == total;
        if (held != null && ((step + 1) % every == 0 || last)) {
          double loss = loss(held, validated);
          line.put("validation_loss", loss);
          kept.improve(loss, step + 1);
        }
        record.write(line);
        boolean enough = kept.failures() >= patience;
        boolean stop = kept.stopAsked() && !last;
        if ((step + 1) % saving == 0 || last || enough || stop) {
          kept.save(left.position());
        }
        if (enough) {
          ending = "no better validation loss " + patience + " times in a row";
          break;
        }
        if (stop) {
          return record.stopped(total);
        }
      }
      long best = kept.restoreBest(record.count());
      return record.finish(ending, best, answers.answered(training));
    }
  }

  /** Makes a step and gives its figures. */
  private Map<String, Double> step(Recorder record, Batch batch, double rate) {
    Map<String, Double> line;
    try {
      line = record.line(step(batch, optimizer.withLearningRate(rate)), rate, batch);
    } catch (NumericException e) {
      line = record.skip(e, rate, batch);
    }
    line.put("sequences", (double) batch.size());
    if (batch.cut() > 0) {
      line.put("cut", (double) batch.cut());
    }
    if (batch.skipped() > 0) {
      line.put("left_out", (double) batch.skipped());
    }
    return line;
  }

  private StepResult step(Batch batch, AdamW settings) {
    if (batch.size() <= batchSize) {
      return training.step(batch, Loss.crossEntropy(), settings);
    }
    double sum = 0;
    double weight = 0;
    NumericException failure = null;
    for (int from = 0; from < batch.size(); from += batchSize) {
      List<Datum> part = batch.data().subList(from, Math.min(batch.size(), from + batchSize));
      try {
        LossResult result = training.forwardBackward(Batch.of(part), Loss.crossEntropy());
        sum += result.loss();
        weight += result.weight();
      } catch (NumericException e) {
        failure = e;
      }
    }
    if (failure != null && weight == 0) {
      throw failure;
    }
    // What one part could not give, the others do.
    return new StepResult(new LossResult(sum, List.of(), weight, Map.of()), training.optimStep(settings));
  }

  /** The loss of a unit of weight over all batches. */
  private double loss(Batches batches, long count) {
    double sum = 0;
    double weight = 0;
    try (Progress progress = Progress.passing("validate", count)) {
      for (Batch batch : batches) {
        LossResult result = training.forward(batch);
        sum += result.loss();
        weight += result.weight();
        progress.step(result, batch.tokens());
      }
    }
    return sum / weight;
  }

  private static Map<String, Object> lengths(Dataset examples, Optional<DataSummary> content) {
    Map<String, Object> lengths = new LinkedHashMap<>();
    lengths.put("too_long", examples.tooLong().name().toLowerCase(Locale.ROOT));
    content.ifPresent(known -> {
      lengths.put("max_length", known.maxLength().isPresent() ? known.maxLength().getAsInt() : null);
      lengths.put("sequences", known.sequences());
      lengths.put("cut", known.cut());
      lengths.put("skipped", known.skipped());
    });
    return lengths;
  }

  private Map<String, Object> settings(Dataset examples, Optional<DataSummary> content, int total, Schedule rates, int every,
      int saving) {
    Map<String, Object> settings = new LinkedHashMap<>();
    settings.put("data", examples.toString());
    settings.put("data_sha256", content.map(DataSummary::sha256).orElse(null));
    settings.put("lengths", lengths(examples, content));
    settings.put("epochs", epochs);
    settings.put("batch_size", batchSize);
    settings.put("gradient_accumulation", accumulation);
    settings.put("steps", total);
    settings.put("schedule", rates.toString());
    settings.put("optimizer", RunFiles.optimizer(optimizer));
    settings.put("train_on", trainOn.toString());
    settings.put("seed", seed);
    settings.put("validation", validation == null ? null : validation.toString());
    settings.put("validate_every", every);
    settings.put("save_every", saving);
    settings.put("patience", patience);
    return settings;
  }

  @Override
  public String toString() {
    return OneLine.of("Sft", "epochs " + epochs + ", batch " + batchSize + ", learning rate " + learningRate);
  }
}
