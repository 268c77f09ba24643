package dev.fettle.recipes;

import dev.fettle.AdamW;
import dev.fettle.BaseModel;
import dev.fettle.Batch;
import dev.fettle.DataSummary;
import dev.fettle.Dataset;
import dev.fettle.Destination;
import dev.fettle.Full;
import dev.fettle.InvalidInputException;
import dev.fettle.Lora;
import dev.fettle.Loss;
import dev.fettle.Modules;
import dev.fettle.Renderer;
import dev.fettle.Text;
import dev.fettle.Training;
import dev.fettle.Tuning;
import dev.fettle.internal.NoNulls;
import dev.fettle.internal.OneLine;
import dev.fettle.internal.Positive;
import dev.fettle.internal.compare.Measures;
import dev.fettle.internal.compare.Method;
import dev.fettle.internal.compare.NamedMethods;
import dev.fettle.internal.compare.Overlap;
import dev.fettle.internal.compare.Plan;
import dev.fettle.internal.compare.Runner;
import dev.fettle.internal.compare.Summary;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/**
 * Finds out which way of tuning is best for a task: each method gets a sweep of its own over learning rates, judged by
 * validation data, then runs with several seeds, judged by test data.
 *
 * <pre>{@code
 * ComparisonResult compared = Comparison.of(model)
 *     .methods(List.of("lora", "full"), List.of(4, 32))
 *     .data(train).test(test).outside(other).exactMatch()
 *     .directory(Path.of("compared"))
 *     .run();
 * System.out.println(compared.markdown());
 * }</pre>
 *
 * <p>What is not a causal model's supervised task comes as functions:
 *
 * <pre>{@code
 * Comparison.of(encoder).method("lora", Lora.rank(8)).method("full", Full.all())
 *     .train(200, trial -> {
 *       for (List<Ranked> batch : batches(trial.seed(), trial.steps())) {
 *         trial.done(trial.training().step(batch, loss, trial.settings()).loss(), tokens(batch));
 *       }
 *     })
 *     .validate(training -> training.forward(held, loss).loss())
 *     .metric("nDCG@10", true, training -> perQuery(training))
 *     .setting("data", "cranfield").directory(Path.of("compared")).run();
 * }</pre>
 *
 * <p>Differences: over seeds by Welch's t-test (the base model, which has no seeds, counts as a known value), and where
 * the metric has a value for each item also by the paired randomisation test over items, averaged over seeds; the greater
 * p counts, so that a difference must be beyond both kinds of chance. Then Holm's correction for the number of pairs. What
 * stays at 0.05 or above is a tie.
 *
 * <p>{@code results.jsonl} in the directory has a line for each finished run; called again with equal settings,
 * {@link #run()} makes the others. A comparison that is being set up; each method changes it and returns it. Not
 * thread-safe.
 */
public final class Comparison {
  /** How many seeds each method runs with unless {@link #seeds(int)} is called; it cannot be fewer. */
  public static final int DEFAULT_SEEDS = 3;
  /** The middle of the sweep of adapters, and of hybrids, unless {@link #learningRates} is called. */
  public static final double LORA_RATE = 5e-4;
  /** The middle of the sweep of full training unless {@link #learningRates} is called. */
  public static final double FULL_RATE = 5e-5;
  /** The name of the model as it is. */
  public static final String BASE = NamedMethods.BASE;

  private static final String LEARN = "nothing to learn from: call data(Dataset) or train(steps, loop)";
  private static final String JUDGE_RATES = "nothing to judge learning rates by: call validation(Dataset) or validate(loss)";
  private static final String JUDGE = "nothing to judge by: call test(Dataset) or metric(...)";

  private final BaseModel model;
  private final Map<String, Tuning> methods = new LinkedHashMap<>();
  private final Map<String, double[]> rates = new LinkedHashMap<>();
  private final Map<String, Object> settings = new LinkedHashMap<>();
  private @Nullable Dataset data;
  private @Nullable Dataset validation;
  private @Nullable Dataset test;
  private @Nullable Dataset outside;
  private int batchSize = Sft.DEFAULT_BATCH_SIZE;
  private int epochs = 1;
  private int steps;
  private @Nullable Consumer<Trial> loop;
  private @Nullable ToDoubleFunction<Training> validate;
  private @Nullable ToDoubleFunction<Training> outsideLoss;
  private String metric = "NLL";
  private boolean higherIsBetter;
  private @Nullable Function<Training, double[]> values;
  private boolean exact;
  private int seeds = DEFAULT_SEEDS;
  private long seed;
  private boolean overlapAllowed;
  private @Nullable Path directory;

  private Comparison(BaseModel model) {
    this.model = Objects.requireNonNull(model, "model");
  }

  /** Begins with a model. It is measured as it is, too. */
  public static Comparison of(BaseModel model) {
    return new Comparison(model);
  }

  /**
   * Adds a way of tuning. Its seed is set for each run.
   *
   * @throws InvalidInputException if the name is taken, or all its learning rates are fixed, so that none could be sought
   */
  public Comparison method(String name, Tuning tuning) {
    Objects.requireNonNull(tuning, "tuning");
    if (Objects.requireNonNull(name, "name").isBlank() || name.equals(BASE) || methods.containsKey(name)) {
      throw new InvalidInputException("method \"" + name + "\": give a name that no other method has, and not base");
    }
    Method.requireFreeRate(name, tuning);
    methods.put(name, tuning);
    return this;
  }

  /**
   * Adds methods by name: {@code base}, which is always there; {@code lora}, once for each rank; {@code lora-attention},
   * {@code lora-mlp} and {@code hybrid} with the highest rank; {@code full}. A hybrid trains modules in full at a tenth of
   * its adapters' learning rate.
   *
   * @param names such as {@code lora}
   * @param ranks with more than one, each is in the method's name: {@code lora-r4}
   * @param hybrid what a hybrid trains in full; by default the last two layers and the output embedding
   * @throws InvalidInputException if a name is unknown; the message lists those there are
   */
  public Comparison methods(List<String> names, List<Integer> ranks, Modules... hybrid) {
    NamedMethods.of(List.copyOf(NoNulls.in(names, "names")), List.copyOf(NoNulls.in(ranks, "ranks")),
        List.of(NoNulls.in(hybrid, "hybrid"))).forEach(this::method);
    return this;
  }

  /**
   * The learning rates that a method begins its sweep with. If the best is the first or the last, further ones are tried
   * in the same ratio, up to four. One alone is no sweep. Default: the middle, and a factor of 3.16 to either side.
   *
   * @throws InvalidInputException unless they are positive, and at {@link #run()} if no such method is compared
   */
  public Comparison learningRates(String method, double... values) {
    Objects.requireNonNull(method, "method");
    double[] sorted = Objects.requireNonNull(values, "values").clone();
    Arrays.sort(sorted);
    for (double value : sorted) {
      AdamW.learningRate(value);
    }
    if (sorted.length == 0 || sorted[0] <= 0 || Arrays.stream(sorted).distinct().count() < sorted.length) {
      throw new InvalidInputException("learning rates of " + method + " " + Arrays.toString(values)
          + ": give one or more, all positive and different");
    }
    rates.put(method, sorted);
    return this;
  }

  /** What to learn from. */
  public Comparison data(Dataset examples) {
    data = Objects.requireNonNull(examples, "examples");
    return this;
  }

  /** What the learning rates are judged by. By default a tenth of {@link #data(Dataset)}, which is then not trained on. */
  public Comparison validation(Dataset examples) {
    validation = Objects.requireNonNull(examples, "examples");
    return this;
  }

  /** What the methods are judged by. */
  public Comparison test(Dataset examples) {
    test = Objects.requireNonNull(examples, "examples");
    return this;
  }

  /** Text outside the task: what its loss gains is what was forgotten. */
  public Comparison outside(Dataset examples) {
    outside = Objects.requireNonNull(examples, "examples");
    return this;
  }

  /** The same as a function, lower is better. */
  public Comparison outside(ToDoubleFunction<Training> loss) {
    outsideLoss = Objects.requireNonNull(loss, "loss");
    return this;
  }

  /** Sequences a step. Default 16. */
  public Comparison batchSize(int n) {
    batchSize = Positive.of("batchSize", n);
    return this;
  }

  /** How often each run reads the data. Default 1. */
  public Comparison epochs(int n) {
    epochs = Positive.of("epochs", n);
    return this;
  }

  /** Optimizer steps of each run at most. Default until the data end. */
  public Comparison steps(int most) {
    steps = Positive.of("steps", most);
    return this;
  }

  /** A training loop of one's own, in place of supervised steps on {@link #data(Dataset)}. */
  public Comparison train(int stepsOfEach, Consumer<Trial> ownLoop) {
    loop = Objects.requireNonNull(ownLoop, "ownLoop");
    return steps(stepsOfEach);
  }

  /** What the learning rates are judged by, in place of the loss of {@link #validation(Dataset)}; lower is better. */
  public Comparison validate(ToDoubleFunction<Training> loss) {
    validate = Objects.requireNonNull(loss, "loss");
    return this;
  }

  /**
   * How the methods are judged, in place of the loss of {@link #test(Dataset)}.
   *
   * @param perItem one value for each test item, always in the same order, or one alone; their mean counts
   */
  public Comparison metric(String name, boolean moreIsBetter, Function<Training, double[]> perItem) {
    values = Objects.requireNonNull(perItem, "perItem");
    metric = Objects.requireNonNull(name, "name");
    higherIsBetter = moreIsBetter;
    return this;
  }

  /** Judges by how many answers of {@link #test(Dataset)} greedy decoding gives exactly, white space around aside. */
  public Comparison exactMatch() {
    metric = "exact match";
    higherIsBetter = true;
    exact = true;
    values = null;
    return this;
  }

  /**
   * How many seeds each method runs with. Default 3.
   *
   * @throws InvalidInputException if fewer than 3: they would have no spread to judge by
   */
  public Comparison seeds(int n) {
    if (n < DEFAULT_SEEDS) {
      throw new InvalidInputException("seeds " + n + ": give at least 3; fewer have no spread that differences could be "
          + "judged by");
    }
    seeds = n;
    return this;
  }

  /** The sweep's seed; the runs have those after it. Default 0. */
  public Comparison seed(long value) {
    seed = value;
    return this;
  }

  /** Notes what given functions work on, such as a file's name; with another value it is another comparison. */
  public Comparison setting(String name, Object value) {
    settings.put(Objects.requireNonNull(name, "name"), String.valueOf(value));
    return this;
  }

  /** Lets test and validation data be in the training data; by default that is rejected. */
  public Comparison allowOverlap() {
    overlapAllowed = true;
    return this;
  }

  /**
   * Where {@code results.jsonl}, {@code report.md} and the plots are kept. Required. Ctrl-C and SIGTERM end a comparison at
   * once: the runs that have ended are kept there, the one under way is repeated.
   */
  public Comparison directory(Path path) {
    directory = Objects.requireNonNull(path, "path");
    return this;
  }

  /**
   * Compares. All is checked before the first step.
   *
   * @throws InvalidInputException if something is missing, empty, contradictory, or too long and rejected, a method's
   *     selector matches nothing, test data are in the training data, or the directory holds a comparison with other
   *     settings, cannot be written, or is in use by another run
   */
  public ComparisonResult run() {
    Plan plan = plan();
    Destination place = Destination.within(plan.directory());
    try {
      return Summary.of(plan, Runner.run(plan));
    } finally {
      place.close();
    }
  }

  private Plan plan() {
    require(!methods.isEmpty(), "no method: call method(...) or methods(...)");
    Path place = given(directory, "no directory: call directory(Path)");
    require(loop != null || data != null, LEARN);
    require(validate != null || validation != null || data != null, JUDGE_RATES);
    require(values != null || test != null, JUDGE);
    rates.keySet().forEach(name -> require(methods.containsKey(name), "learning rates of " + name + ", which is not "
        + "trained here: compared are " + methods.keySet()));
    Map<String, Object> all = new LinkedHashMap<>(Map.of("model", model.name(), "dtype", String.valueOf(model.dtype())));
    Measures measures = new Measures(model, batchSize, all);
    overlap();
    Dataset read = data;
    Dataset judge = validation;
    if (validate == null && judge == null && read != null) {
      Dataset[] two = read.split(0.9, 0.1);
      require(two[1].examples().iterator().hasNext(), "no validation data: a tenth of " + read + " is nothing; call validation(Dataset)");
      read = two[0];
      judge = two[1];
    }
    int made = steps;
    Consumer<Trial> body = loop;
    if (body == null) {
      Dataset trained = given(read, LEARN);
      Renderer renderer = measures.renderer();
      DataSummary hash = trained.batches(batchSize, renderer).check("training data");
      made = (int) Math.min(steps > 0 ? steps : Long.MAX_VALUE, hash.batches() * epochs);
      all.put("data", hash.sha256());
      all.put("batch_size", batchSize);
      body = trial -> supervised(trial, trained, renderer);
    }
    all.put("steps", made);
    ToDoubleFunction<Training> judged = validate != null ? validate
        : measures.loss("validation", given(judge, JUDGE_RATES))::mean;
    Function<Training, double[]> measured = values != null ? values : measures.items(given(test, JUDGE), exact);
    ToDoubleFunction<Training> elsewhere = outside != null ? measures.loss("outside", outside)::mean : outsideLoss;
    all.putIfAbsent("validation", "own");
    all.putIfAbsent("test", "own");
    all.putIfAbsent("outside", elsewhere == null ? "none" : "own");
    all.put("metric", metric);
    all.putAll(settings);
    Consumer<Trial> each = body;
    int total = made;
    return new Plan(model, methods.entrySet().stream().map(this::method).toList(), total, seeds, seed,
        (training, rate, runSeed, done) -> each.accept(new Trial(training, rate, runSeed, total, done)), judged, metric,
        higherIsBetter, measured, Optional.ofNullable(elsewhere), all, place);
  }

  private Method method(Map.Entry<String, Tuning> entry) {
    double middle = entry.getValue() instanceof Full ? FULL_RATE : LORA_RATE;
    double step = Math.sqrt(10);
    return Method.of(entry.getKey(), entry.getValue(), rates.getOrDefault(entry.getKey(),
        new double[] {middle / step, middle, middle * step}));
  }

  private void overlap() {
    if (data != null && !overlapAllowed) {
      Overlap.refuse("test", test, data);
      Overlap.refuse("validation", validation, data);
    }
  }

  private void supervised(Trial trial, Dataset examples, Renderer renderer) {
    Training training = trial.training();
    int made = 0;
    for (Batch batch : examples.shuffle(trial.seed()).epochs(epochs).batches(batchSize, renderer).quietly()) {
      trial.done(training.step(batch, Loss.crossEntropy(), trial.settings()).loss().meanLoss(), batch.tokens());
      if (++made == trial.steps()) {
        return;
      }
    }
  }

  private static <T> T given(@Nullable T value, String message) {
    require(value != null, message);
    return Objects.requireNonNull(value);
  }

  private static void require(boolean condition, String message) {
    if (!condition) {
      throw new InvalidInputException("Comparison with " + message);
    }
  }

  @Override
  public String toString() {
    return OneLine.of("Comparison", String.join(", ", methods.keySet()) + " by " + metric + ", " + seeds + " seeds");
  }
}
