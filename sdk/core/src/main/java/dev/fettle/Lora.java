package dev.fettle;

import dev.fettle.internal.NoNulls;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Low-rank adapters beside frozen weights: {@code y = x W^T + s dropout(x) A^T B^T}, where A has {@code rank} rows and
 * {@code s = alpha / rank} (Hu et al. 2021). A starts uniform within {@code 1 / sqrt(inputs)} and B zero, as in PEFT, so
 * that training starts from the model as it is. Immutable; each method returns a changed copy.
 */
public final class Lora implements Tuning {
  /** The rank that {@link #standard()} uses. */
  public static final int DEFAULT_RANK = 32;
  /** The alpha unless {@link #alpha(double)} is called. */
  public static final double DEFAULT_ALPHA = 32;

  /** The modules where none are chosen. */
  private static final List<Modules> LINEAR = List.of(Modules.linear());

  private final Settings s;

  private Lora(Settings s) {
    this.s = s;
  }

  /** The values of one Lora; nothing writes to them once it exists. */
  private static final class Settings implements Cloneable {
    private int rank = 1;
    private double alpha = DEFAULT_ALPHA;
    private boolean rankStabilized;
    private double dropout;
    private long seed;
    private List<Modules> modules = LINEAR;
    private Map<String, Integer> ranks = Map.of();
    private Map<String, Double> alphas = Map.of();
    private @Nullable Path source;
    private boolean dora;
    private boolean pissa;
    private boolean bias;
    private double ratio = 1;
    private ParameterGroup rate = ParameterGroup.OF_STEP;

    @Override
    protected Settings clone() {
      try {
        return (Settings) super.clone();
      } catch (CloneNotSupportedException e) {
        throw new AssertionError(e);
      }
    }
  }

  private Lora with(Consumer<Settings> change) {
    Settings copy = s.clone();
    change.accept(copy);
    return new Lora(copy);
  }

  /**
   * Adapters of a rank on all linear layers of the decoder, with alpha 32.
   *
   * @throws InvalidInputException if the rank is less than 1
   */
  public static Lora rank(int rank) {
    return new Lora(new Settings()).with(c -> c.rank = atLeastOne("rank", rank));
  }

  /** Rank 32, alpha 32, all linear layers. */
  public static Lora standard() {
    return rank(DEFAULT_RANK);
  }

  /**
   * The adapter in a directory in PEFT's layout, to be trained further; its own settings apply, and only {@link #seed}
   * and the learning rates can be set. What it trains in full beside the adapters ({@code modules_to_save}) is trained in
   * full here too, and so are the biases that PEFT's {@code bias} names; other weights of the base model that its file brings along,
   * such as embeddings, take the place of the model's own and stay as they are. The files are read when {@link BaseModel#tune} is called.
   */
  public static Lora from(Path directory) {
    Objects.requireNonNull(directory, "directory");
    return new Lora(new Settings()).with(c -> {
      c.source = directory;
      c.modules = List.of();
    });
  }

  /** Sets alpha, the numerator of the adapters' scale. Default 32. */
  public Lora alpha(double value) {
    requireNew("alpha");
    return with(c -> c.alpha = positive("alpha", value));
  }

  /** Scales by {@code alpha / sqrt(rank)} (Kalajdzievski 2023) instead of {@code alpha / rank}. */
  public Lora rankStabilized() {
    requireNew("rankStabilized");
    return with(c -> c.rankStabilized = true);
  }

  /**
   * Drops each element of the adapters' input with a probability while training; projections that read the same input
   * share the mask; what the adapters of the embeddings read is never dropped. Default 0.
   *
   * @throws InvalidInputException unless {@code 0 <= p < 1}
   */
  public Lora dropout(double p) {
    if (!(p >= 0 && p < 1)) {
      throw new InvalidInputException("dropout " + p + ": give at least 0 and less than 1");
    }
    requireNew("dropout");
    return with(c -> c.dropout = p);
  }

  /** Seeds the start values and the dropout. Default 0. */
  public Lora seed(long value) {
    return with(c -> c.seed = value);
  }

  /**
   * Adapts these modules only: linear layers of the decoder, and where {@link Modules#lmHead()} or
   * {@link Modules#embeddings()} is named, the output or input embedding; what else they take in, such as norms, is left
   * alone. By default {@link Modules#linear()}, without what {@link #plus} trains in full.
   */
  public Lora targetModules(Modules... chosen) {
    if (NoNulls.in(chosen, "chosen").length == 0) {
      throw new InvalidInputException("targetModules(): name at least one choice of modules");
    }
    requireNew("on");
    return with(c -> c.modules = List.of(chosen));
  }

  /**
   * Another rank for the modules whose name ends with, or fits, a regular expression (PEFT's {@code rank_pattern}). Alpha
   * stays; {@link #alphaPattern} changes it.
   */
  public Lora rankPattern(String pattern, int value) {
    requireNew("rankPattern");
    Map<String, Integer> changed = new LinkedHashMap<>(s.ranks);
    changed.put(Objects.requireNonNull(pattern, "pattern"), atLeastOne("rank of " + pattern, value));
    return with(c -> c.ranks = Collections.unmodifiableMap(changed));
  }

  /** Another alpha for the modules whose name ends with, or fits, a regular expression. */
  public Lora alphaPattern(String pattern, double value) {
    requireNew("alphaPattern");
    Map<String, Double> changed = new LinkedHashMap<>(s.alphas);
    changed.put(Objects.requireNonNull(pattern, "pattern"), positive("alpha of " + pattern, value));
    return with(c -> c.alphas = Collections.unmodifiableMap(changed));
  }

  /**
   * Splits the adapted layers' rows into lengths, trained, and directions, which A and B change (DoRA, Liu et al. 2024).
   * Linear layers of the decoder only. Dropout is of the adapters' input alone; PEFT drops what the frozen layer reads too.
   */
  public Lora dora() {
    requireNew("dora");
    return with(c -> c.dora = true);
  }

  /**
   * Starts A and B from the largest singular values of each layer, taken off the layer (PiSSA, Meng et al. 2024): the
   * model is as it was, and its main directions are what is trained. {@link Training#saveAdapter} writes a plain adapter
   * of twice the rank that fits the base model as it is. Linear layers of the decoder only.
   */
  public Lora pissa() {
    requireNew("pissa");
    return with(c -> c.pissa = true);
  }

  /** Trains a bias with each B, as PEFT's {@code lora_bias} does: {@code y = ... + s bias}. Linear layers of the decoder only. */
  public Lora bias() {
    requireNew("bias");
    return with(c -> c.bias = true);
  }

  /**
   * Steps the B's of linear layers with a multiple of the A's learning rate (LoRA+, Hayou et al. 2024, who advise 16).
   * Default 1.
   *
   * @throws InvalidInputException unless it is more than 0 and at most 1e6
   */
  public Lora learningRateRatio(double ofB) {
    ParameterGroup.requirePositive("learningRateRatio", ofB);
    return with(c -> c.ratio = ofB);
  }

  /** Steps the adapters with a multiple of each step's learning rate. Default 1. */
  public Lora learningRateFactor(double factor) {
    return with(c -> c.rate = s.rate.factor(factor));
  }

  /** Steps the adapters with a learning rate of their own, whatever each step's; no schedule changes it. */
  public Lora learningRate(double value) {
    return with(c -> c.rate = s.rate.learningRate(value));
  }

  /** Gives the adapters a decay of their own, whatever each step's. */
  public Lora weightDecay(double value) {
    return with(c -> c.rate = s.rate.weightDecay(value));
  }

  /**
   * Trains weights in full beside the adapters. Unless {@link #targetModules} chose modules, the adapters leave these alone; no
   * weight may be in two parts.
   */
  public Hybrid plus(Full part) {
    return new Hybrid(this, List.of(Objects.requireNonNull(part, "part")));
  }

  /** Whether {@link #targetModules} chose the modules. */
  public boolean isChosen() {
    return s.modules != LINEAR;
  }

  /** Whether lengths and directions are apart. */
  public boolean isDora() {
    return s.dora;
  }

  /** Whether it starts from singular values. */
  public boolean isPissa() {
    return s.pissa;
  }

  /** Whether biases are trained. */
  public boolean hasBias() {
    return s.bias;
  }

  /** The B's learning rate by the A's. */
  public double learningRateRatio() {
    return s.ratio;
  }

  /** How a step's settings apply to the adapters. */
  public ParameterGroup rate() {
    return s.rate;
  }

  /** The rank where no pattern says otherwise. */
  public int rank() {
    return s.rank;
  }

  /** The alpha where no pattern says otherwise. */
  public double alpha() {
    return s.alpha;
  }

  /** Whether the scale is {@code alpha / sqrt(rank)}. */
  public boolean isRankStabilized() {
    return s.rankStabilized;
  }

  /** The dropout probability. */
  public double dropout() {
    return s.dropout;
  }

  /** The seed. */
  public long seed() {
    return s.seed;
  }

  /** What is adapted. */
  public List<Modules> modules() {
    return s.modules;
  }

  /** Ranks by pattern. */
  public Map<String, Integer> rankPattern() {
    return s.ranks;
  }

  /** Alphas by pattern. */
  public Map<String, Double> alphaPattern() {
    return s.alphas;
  }

  /** The directory that the adapter is read from, if it is. */
  public Optional<Path> source() {
    return Optional.ofNullable(s.source);
  }

  @Override
  public String toString() {
    String rates = s.rate.toString();
    String tail = (s.ratio == 1 ? "" : ", B x " + s.ratio) + (rates.isEmpty() ? "" : ", " + rates) + "]";
    if (s.source != null) {
      String name = String.valueOf(s.source.getFileName()).replaceAll("[\\p{Cntrl}<>]", " ");
      int room = 70 - tail.length();
      return "Lora[from " + (name.length() > room ? name.substring(0, Math.max(0, room - 3)) + "..." : name) + tail;
    }
    String kinds = (s.dora ? ", DoRA" : "") + (s.pissa ? ", PiSSA" : "") + (s.bias ? ", bias" : "");
    String head = "Lora[rank " + s.rank + ", alpha " + s.alpha + kinds;
    String on = ", on " + s.modules;
    if (head.length() + on.length() + tail.length() > 80) {
      on = s.modules.size() == 1 ? "" : ", " + s.modules.size() + " choices";
    }
    return head + on + tail;
  }

  private void requireNew(String method) {
    if (s.source != null) {
      throw new InvalidInputException(method + "() of an adapter that is read from " + s.source + ": its own "
          + "adapter_config.json says it; change it there");
    }
  }

  private static int atLeastOne(String name, int value) {
    if (value < 1) {
      throw new InvalidInputException(name + " " + value + ": give at least 1");
    }
    return value;
  }

  private static double positive(String name, double value) {
    if (!(value > 0 && value < Double.POSITIVE_INFINITY)) {
      throw new InvalidInputException(name + " " + value + ": give a positive number");
    }
    return value;
  }
}
