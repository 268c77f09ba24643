package dev.fettle.internal.model;

import dev.fettle.InvalidInputException;
import dev.fettle.internal.checkpoint.JsonFields;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/** Reads the rope settings as transformers 4 writes them and as transformers 5 does. */
final class RopeReader {
  /** What transformers takes in all four architectures when no theta is given. */
  static final double DEFAULT_THETA = 10_000;

  private static final Set<String> KNOWN =
      Set.of("rope_type", "type", "rope_theta", "partial_rotary_factor", "original_max_position_embeddings");
  private static final Set<String> LINEAR = Set.of("factor");
  private static final Set<String> LLAMA3 = Set.of("factor", "low_freq_factor", "high_freq_factor");

  private RopeReader() {}

  static Rope read(JsonFields config, int contextLength, double defaultTheta) {
    double theta = config.positive("rope_theta", defaultTheta);
    Optional<Rope> old = config.object("rope_scaling").map(fields -> read(config, fields, theta, contextLength));
    Optional<Rope> current = config.object("rope_parameters").map(fields -> read(config, fields, theta, contextLength));
    if (old.isPresent() && current.isPresent() && !old.equals(current)) {
      throw new InvalidInputException(
          config.source() + ": rope_scaling and rope_parameters disagree: " + old.get() + ", " + current.get());
    }
    return current.or(() -> old).orElse(new Rope.Default(theta));
  }

  /**
   * The rotation of one kind of layer, where {@code rope_parameters} has an object for each kind; {@code rope_scaling}, which
   * older files have, is that of layers with full attention.
   *
   * @param thetaKey where older files have the base of this kind
   */
  static Rope ofLayers(JsonFields config, String kind, String thetaKey, double defaultTheta, int contextLength) {
    double theta = config.positive(thetaKey, defaultTheta);
    Optional<JsonFields> old = kind.equals("full_attention") ? config.object("rope_scaling") : Optional.empty();
    return config.object("rope_parameters").flatMap(all -> all.object(kind)).or(() -> old)
        .map(fields -> read(config, fields, theta, contextLength)).orElse(new Rope.Default(theta));
  }

  private static Rope read(JsonFields config, JsonFields fields, double outerTheta, int contextLength) {
    double theta = fields.positive("rope_theta", outerTheta);
    fields.refuseUnlessNeutral("partial_rotary_factor", 1, "rotation of a part of each head");
    String type = fields.string("rope_type").or(() -> fields.string("type")).orElse("default");
    switch (type) {
      case "default":
        refuseOthers(fields, Set.of());
        return new Rope.Default(theta);
      case "linear":
        refuseOthers(fields, LINEAR);
        return new Rope.Linear(theta, fields.positive("factor"));
      case "llama3":
        refuseOthers(fields, LLAMA3);
        return llama3(config, fields, theta, contextLength);
      default:
        throw fields.unsupported(
            fields.has("rope_type") ? "rope_type" : "type", "the rope types are default, linear and llama3");
    }
  }

  private static Rope llama3(JsonFields config, JsonFields fields, double theta, int contextLength) {
    double low = fields.positive("low_freq_factor");
    double high = fields.positive("high_freq_factor");
    if (high <= low) {
      throw fields.invalid("high_freq_factor", "must be above low_freq_factor, " + low);
    }
    String key = "original_max_position_embeddings";
    OptionalInt inner = fields.optionalInteger(key, 1, Integer.MAX_VALUE);
    OptionalInt outer = config.optionalInteger(key, 1, Integer.MAX_VALUE);
    if (inner.isPresent() && outer.isPresent() && inner.getAsInt() != outer.getAsInt()) {
      throw config.invalid(key, "must be the same in both places, " + inner.getAsInt());
    }
    int original = inner.isPresent() ? inner.getAsInt() : outer.orElse(contextLength);
    return new Rope.Llama3(theta, fields.positive("factor"), low, high, original);
  }

  private static void refuseOthers(JsonFields fields, Set<String> used) {
    for (String key : fields.keys()) {
      if (!KNOWN.contains(key) && !used.contains(key)) {
        fields.refuseUnlessNeutral(key, Double.NaN, "this rope type does not use it");
      }
    }
  }
}
