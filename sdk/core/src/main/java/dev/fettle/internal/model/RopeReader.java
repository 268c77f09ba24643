package dev.fettle.internal.model;

import dev.fettle.InvalidInputException;
import dev.fettle.internal.checkpoint.JsonFields;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads the rope settings as transformers 4 writes them ({@code rope_scaling}) and as transformers 5 does
 * ({@code rope_parameters}), with transformers' defaults.
 */
final class RopeReader {
  private static final Logger LOG = LoggerFactory.getLogger(RopeReader.class);

  /** What transformers takes when no theta is given, unless a family has its own. */
  private static final double DEFAULT_THETA = 10_000;

  private static final String ORIGINAL = "original_max_position_embeddings";
  private static final String PARTIAL = "partial_rotary_factor";
  /** Keys that say how or by what the others are read. */
  private static final Set<String> GENERAL = Set.of("rope_type", "type", "rope_theta", PARTIAL);
  /**
   * Keys that transformers uses with some type and passes over, with a warning, where another one does not need them; and
   * {@code finetuned}, by which the first YaRN models say that they were trained with it.
   */
  private static final Set<String> OF_SOME_TYPE = Set.of("factor", ORIGINAL, "attention_factor", "beta_fast", "beta_slow",
      "mscale", "mscale_all_dim", "truncate", "short_factor", "long_factor", "low_freq_factor", "high_freq_factor", "finetuned");

  private final JsonFields config;
  private final int positions;
  private final int headDim;
  private final Map<String, String> aliases = new HashMap<>();
  private final Set<String> others = new HashSet<>();
  private OptionalInt originalWhenAbsent = OptionalInt.empty();
  private boolean partial;
  private double share = 1;
  private String thetaKey = "rope_theta";
  private double defaultTheta = DEFAULT_THETA;

  /**
   * @param positions the model's {@code max_position_embeddings}
   * @param headDim numbers a head
   */
  RopeReader(JsonFields config, int positions, int headDim) {
    this.config = config;
    this.positions = positions;
    this.headDim = headDim;
  }

  /** Of a family that may rotate a part of each head; others reject it, since transformers does not do it there. */
  RopeReader partial() {
    partial = true;
    return this;
  }

  /** The same of a family that rotates so large a part of each head where the file does not say. */
  RopeReader partial(double whenAbsent) {
    share = whenAbsent;
    return partial();
  }

  /** The base where the rope settings have none: outside of them by this key, else a family's own. */
  RopeReader theta(String key, double whenAbsent) {
    thetaKey = key;
    defaultTheta = whenAbsent;
    return this;
  }

  /** Of a family that has an original context outside of its rope settings always, this one where the file does not say. */
  RopeReader original(int whenAbsent) {
    originalWhenAbsent = OptionalInt.of(whenAbsent);
    return this;
  }

  /** Keys of the rope settings that the family itself reads, or that have no meaning. */
  RopeReader passingOver(String... keys) {
    others.addAll(List.of(keys));
    return this;
  }

  /** Another name that files have for a rope type. */
  RopeReader alias(String name, String type) {
    aliases.put(name, type);
    return this;
  }

  /** The settings of all layers. */
  Rope read() {
    Optional<Rope> old = settings("rope_scaling").map(this::read);
    Optional<Rope> current = settings("rope_parameters").map(this::read);
    if (old.isPresent() && current.isPresent() && !old.equals(current)) {
      throw new InvalidInputException(
          config.source() + ": rope_scaling and rope_parameters disagree: " + old.get() + ", " + current.get());
    }
    return current.or(() -> old).orElseGet(() -> new DefaultRope(defaultDim(config), outerTheta()));
  }

  /**
   * Those of one kind of layer, where {@code rope_parameters} has an object for each kind; {@code rope_scaling}, which older
   * files have, is that of layers with full attention.
   */
  Rope ofLayers(String kind) {
    Optional<JsonFields> old = kind.equals("full_attention") ? settings("rope_scaling") : Optional.empty();
    return settings("rope_parameters").flatMap(all -> all.object(kind)).or(() -> old).map(this::read)
        .orElseGet(() -> new DefaultRope(defaultDim(config), outerTheta()));
  }

  /** An object without keys counts as absent. */
  private Optional<JsonFields> settings(String key) {
    return config.object(key).filter(fields -> !fields.keys().isEmpty());
  }

  /** The settings of an object, which may be those of a kind of layers. */
  Rope read(JsonFields fields) {
    double theta = fields.positive("rope_theta", outerTheta());
    String name = fields.string("rope_type").or(() -> fields.string("type")).orElse("default");
    String type = aliases.getOrDefault(name, name);
    int dim = type.equals("default") ? defaultDim(fields) : fields.has(PARTIAL) ? dim(fields) : dim(config);
    return read(fields, type, dim, theta);
  }

  private Rope read(JsonFields fields, String type, int dim, double theta) {
    switch (type) {
      case "default":
        passOver(fields, type, Set.of());
        return new DefaultRope(dim, theta);
      case "linear":
        passOver(fields, type, Set.of("factor"));
        return new LinearRope(dim, theta, fields.positive("factor"));
      case "llama3":
        passOver(fields, type, Set.of("factor", "low_freq_factor", "high_freq_factor", ORIGINAL));
        return llama3(fields, dim, theta);
      case "yarn":
        passOver(fields, type, Set.of("factor", ORIGINAL, "attention_factor", "mscale", "mscale_all_dim", "beta_fast",
            "beta_slow", "truncate"));
        return yarn(fields, dim, theta);
      case "dynamic":
        passOver(fields, type, Set.of("factor"));
        return dynamic(fields, dim, theta);
      case "longrope":
        passOver(fields, type, Set.of("factor", ORIGINAL, "attention_factor", "short_factor", "long_factor"));
        return longRope(fields, dim, theta);
      default:
        throw fields.unsupported(fields.has("rope_type") ? "rope_type" : "type",
            "the rope types are default, linear, llama3, yarn, dynamic and longrope");
    }
  }

  private double outerTheta() {
    return config.positive(thetaKey, defaultTheta);
  }

  /** Of families that rotate whole heads, transformers' default takes no notice of the share, as all its other types do. */
  private int defaultDim(JsonFields fields) {
    return !partial ? headDim : fields.has(PARTIAL) ? dim(fields) : dim(config);
  }

  private int dim(JsonFields fields) {
    if (!partial) {
      fields.refuseUnlessNeutral(PARTIAL, 1, "models of this family rotate whole heads");
    }
    double rotated = fields.positive(PARTIAL, share);
    int dim = (int) (headDim * rotated);
    if (rotated > 1 || dim < 2 || dim % 2 != 0) {
      throw fields.invalid(PARTIAL, "must be at most 1, and give an even number of the " + headDim + " numbers of a head");
    }
    return dim;
  }

  private Rope llama3(JsonFields fields, int dim, double theta) {
    double low = fields.positive("low_freq_factor");
    double high = fields.positive("high_freq_factor");
    if (high <= low) {
      throw fields.invalid("high_freq_factor", "must be above low_freq_factor, " + low);
    }
    return new Llama3Rope(dim, theta, fields.positive("factor"), low, high, original(fields, 1));
  }

  private Rope yarn(JsonFields fields, int dim, double theta) {
    if (theta == 1) {
      throw fields.invalid("rope_theta", "must not be 1 with yarn");
    }
    int original = original(fields, 1);
    // As transformers has it: the key must be there, and null asks for the ratio.
    boolean isRatio = fields.mentions("factor") && !fields.has("factor");
    double factor = isRatio ? (double) positions / original : fields.positive("factor");
    double scale = fields.number("mscale", 0);
    double scaleOfAll = fields.number("mscale_all_dim", 0);
    double usual = scale == 0 || scaleOfAll == 0 ? YarnRope.attentionFactor(factor)
        : YarnRope.attentionFactor(factor, scale, scaleOfAll);
    double attention = fields.positive("attention_factor", usual);
    if (!(attention > 0 && attention < Double.POSITIVE_INFINITY)) {
      throw fields.invalid("mscale", "must give an attention factor above 0 together with mscale_all_dim");
    }
    boolean truncate = fields.bool("truncate", !fields.mentions("truncate"));
    return new YarnRope(dim, theta, factor, original, beta(fields, "beta_fast", 32), beta(fields, "beta_slow", 1), truncate,
        attention);
  }

  /** 0 stands for the default. */
  private static double beta(JsonFields fields, String key, double whenAbsent) {
    return fields.number(key, 0) == 0 ? whenAbsent : fields.positive(key);
  }

  private Rope dynamic(JsonFields fields, int dim, double theta) {
    if (dim < 4) {
      throw fields.invalid(fields.has("rope_type") ? "rope_type" : "type", "must not rotate one pair alone");
    }
    return new DynamicRope(dim, theta, fields.positive("factor"), positions);
  }

  private Rope longRope(JsonFields fields, int dim, double theta) {
    int original = original(fields, 2);
    double factor = fields.positive("factor", (double) positions / original);
    double attention = fields.positive("attention_factor", LongRope.attentionFactor(factor, original));
    return new LongRope(dim, theta, factors(fields, "short_factor", dim), factors(fields, "long_factor", dim), original,
        attention);
  }

  private static List<Double> factors(JsonFields fields, String key, int dim) {
    List<Double> factors = fields.positives(key);
    if (factors.size() != dim / 2) {
      throw fields.invalid(key, "must have " + dim / 2 + " numbers, one for each pair of a head's numbers that is rotated");
    }
    return factors;
  }

  /** The outer one counts if both are there, as in transformers. */
  private int original(JsonFields fields, int least) {
    OptionalInt outer = config.mentions(ORIGINAL) ? config.optionalInteger(ORIGINAL, least, Integer.MAX_VALUE) : originalWhenAbsent;
    OptionalInt inner = fields.optionalInteger(ORIGINAL, least, Integer.MAX_VALUE);
    if (outer.isPresent() && inner.isPresent() && outer.getAsInt() != inner.getAsInt()) {
      LOG.warn("{}: {} {} outside the rope settings is used, not the {} within, as in transformers", config.source(), ORIGINAL,
          outer.getAsInt(), inner.getAsInt());
    }
    return outer.orElse(inner.orElse(positions));
  }

  private void passOver(JsonFields fields, String type, Set<String> used) {
    for (String key : fields.keys()) {
      if (GENERAL.contains(key) || others.contains(key) || used.contains(key) || !fields.has(key)) {
        continue;
      }
      if (OF_SOME_TYPE.contains(key)) {
        LOG.warn("{}: the rope settings' {} is passed over, as in transformers: rope type {} does not use it",
            config.source(), key, type);
      } else {
        fields.refuseUnlessNeutral(key, Double.NaN, "it is not known what it means to the rope type " + type);
      }
    }
  }
}
