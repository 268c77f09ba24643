package dev.fettle;

import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

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

  private final int rank;
  private final double alpha;
  private final boolean rankStabilized;
  private final double dropout;
  private final long seed;
  private final List<Modules> modules;
  private final Map<String, Integer> ranks;
  private final Map<String, Double> alphas;
  private final Path source;

  private Lora(int rank, double alpha, boolean rankStabilized, double dropout, long seed, List<Modules> modules,
      Map<String, Integer> ranks, Map<String, Double> alphas, Path source) {
    this.rank = rank;
    this.alpha = alpha;
    this.rankStabilized = rankStabilized;
    this.dropout = dropout;
    this.seed = seed;
    this.modules = modules;
    this.ranks = Collections.unmodifiableMap(ranks);
    this.alphas = Collections.unmodifiableMap(alphas);
    this.source = source;
  }

  /**
   * Adapters of a rank on all linear layers of the decoder, with alpha 32.
   *
   * @throws InvalidInputException if the rank is less than 1
   */
  public static Lora rank(int rank) {
    return new Lora(atLeastOne("rank", rank), DEFAULT_ALPHA, false, 0, 0, List.of(Modules.linear()), Map.of(), Map.of(),
        null);
  }

  /** Rank 32, alpha 32, all linear layers. */
  public static Lora standard() {
    return rank(DEFAULT_RANK);
  }

  /**
   * The adapter in a directory in PEFT's layout, to go on from; its own settings apply, and only {@link #seed} can be
   * set. The files are read when {@link BaseModel#tune} is called.
   */
  public static Lora from(Path directory) {
    Objects.requireNonNull(directory, "directory");
    return new Lora(1, DEFAULT_ALPHA, false, 0, 0, List.of(), Map.of(), Map.of(), directory);
  }

  /** Sets alpha, the numerator of the adapters' scale. Default 32. */
  public Lora alpha(double value) {
    requireNew("alpha");
    return new Lora(rank, positive("alpha", value), rankStabilized, dropout, seed, modules, ranks, alphas, source);
  }

  /** Scales by {@code alpha / sqrt(rank)} (Kalajdzievski 2023) instead of {@code alpha / rank}. */
  public Lora rankStabilized() {
    requireNew("rankStabilized");
    return new Lora(rank, alpha, true, dropout, seed, modules, ranks, alphas, source);
  }

  /**
   * Drops each element of the adapters' input with a probability while training; projections that read the same input
   * share the mask. Default 0.
   *
   * @throws InvalidInputException unless {@code 0 <= p < 1}
   */
  public Lora dropout(double p) {
    if (!(p >= 0 && p < 1)) {
      throw new InvalidInputException("dropout " + p + ": give at least 0 and less than 1");
    }
    requireNew("dropout");
    return new Lora(rank, alpha, rankStabilized, p, seed, modules, ranks, alphas, source);
  }

  /** Seeds the start values and the dropout. Default 0. */
  public Lora seed(long value) {
    return new Lora(rank, alpha, rankStabilized, dropout, value, modules, ranks, alphas, source);
  }

  /** Adapts these modules only; those of them that are not linear layers of the decoder are left alone. */
  public Lora on(Modules... chosen) {
    Objects.requireNonNull(chosen, "chosen");
    if (chosen.length == 0) {
      throw new InvalidInputException("on(): name at least one choice of modules");
    }
    requireNew("on");
    return new Lora(rank, alpha, rankStabilized, dropout, seed, List.of(chosen), ranks, alphas, source);
  }

  /**
   * Another rank for the modules whose name ends with, or fits, a regular expression (PEFT's {@code rank_pattern}). Alpha
   * stays; {@link #alphaOf} changes it.
   */
  public Lora rankOf(String pattern, int value) {
    requireNew("rankOf");
    Map<String, Integer> changed = new LinkedHashMap<>(ranks);
    changed.put(Objects.requireNonNull(pattern, "pattern"), atLeastOne("rank of " + pattern, value));
    return new Lora(rank, alpha, rankStabilized, dropout, seed, modules, changed, alphas, source);
  }

  /** Another alpha for the modules whose name ends with, or fits, a regular expression. */
  public Lora alphaOf(String pattern, double value) {
    requireNew("alphaOf");
    Map<String, Double> changed = new LinkedHashMap<>(alphas);
    changed.put(Objects.requireNonNull(pattern, "pattern"), positive("alpha of " + pattern, value));
    return new Lora(rank, alpha, rankStabilized, dropout, seed, modules, ranks, changed, source);
  }

  /** The rank where no pattern says otherwise. */
  public int rank() {
    return rank;
  }

  /** The alpha where no pattern says otherwise. */
  public double alpha() {
    return alpha;
  }

  /** Whether the scale is {@code alpha / sqrt(rank)}. */
  public boolean isRankStabilized() {
    return rankStabilized;
  }

  /** The dropout probability. */
  public double dropout() {
    return dropout;
  }

  /** The seed. */
  public long seed() {
    return seed;
  }

  /** What is adapted. */
  public List<Modules> modules() {
    return modules;
  }

  /** Ranks by pattern. */
  public Map<String, Integer> rankPattern() {
    return ranks;
  }

  /** Alphas by pattern. */
  public Map<String, Double> alphaPattern() {
    return alphas;
  }

  /** The directory that the adapter is read from, if it is. */
  public Optional<Path> source() {
    return Optional.ofNullable(source);
  }

  @Override
  public String toString() {
    if (source != null) {
      String name = String.valueOf(source.getFileName()).replaceAll("[\\p{Cntrl}<>]", " ");
      return "Lora[from " + (name.length() > 60 ? name.substring(0, 57) + "..." : name) + "]";
    }
    String on = modules.toString();
    return "Lora[rank " + rank + ", alpha " + alpha + ", on " + (on.length() > 40 ? modules.size() + " choices" : on) + "]";
  }

  private void requireNew(String method) {
    if (source != null) {
      throw new InvalidInputException(method + "() of an adapter that is read from " + source + ": its own "
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
